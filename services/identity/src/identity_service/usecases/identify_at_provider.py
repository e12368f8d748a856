"""Finding out who came back from the sign-in provider."""

from identity_service.clients.openid_provider import OpenIdProvider
from identity_service.domain.sign_in import ProviderIdentity, hashed
from identity_service.repositories.transaction import Begin


def identify_at_provider(
    begin: Begin, provider: OpenIdProvider, *, state: str, browser: str, code: str
) -> tuple[ProviderIdentity, str]:
    """Return who the provider says it is, and where the browser wanted to go.

    The attempt is used up before the provider is asked: a repeated callback finds none.

    Raises:
        UnknownSignIn: this browser has no such attempt, any more.
        InvalidIdentity: what the provider says cannot be relied on.
        ProviderUnavailable: the provider cannot be reached.
    """
    with begin() as tx:
        attempt = tx.sign_in_attempts.take(hashed(state), hashed(browser))
    identity = provider.identity(code, code_verifier=attempt.code_verifier, nonce=attempt.nonce)
    return identity, attempt.callback_url

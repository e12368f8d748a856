"""Sending a browser to the sign-in provider."""

import secrets

from identity_service.clients.openid_provider import OpenIdProvider
from identity_service.domain.sign_in import ATTEMPT_LIFETIME, SignInAttempt, hashed
from identity_service.repositories.transaction import Begin

RANDOM_BYTES = 32  # 43 characters, the shortest code verifier that PKCE allows


def begin_sign_in(
    begin: Begin, provider: OpenIdProvider, *, browser: str, callback_url: str
) -> str:
    """Return the provider's address for a new attempt that only this browser can complete.

    Raises:
        ProviderUnavailable: the provider cannot be reached.
    """
    state = secrets.token_urlsafe(RANDOM_BYTES)
    attempt = SignInAttempt(
        nonce=secrets.token_urlsafe(RANDOM_BYTES),
        code_verifier=secrets.token_urlsafe(RANDOM_BYTES),
        callback_url=callback_url,
    )
    url = provider.authorization_url(
        state=state, nonce=attempt.nonce, code_verifier=attempt.code_verifier
    )
    with begin() as tx:
        tx.sign_in_attempts.add(hashed(state), hashed(browser), attempt, lifetime=ATTEMPT_LIFETIME)
    return url

"""Recognising an API token."""

from identity_service.domain.sign_in import LiveCredential, SignInPolicy, hashed
from identity_service.repositories.live_credentials import LiveCredentials
from identity_service.repositories.transaction import Begin
from identity_service.usecases.withdraw_unlisted_admin import withdraw_unlisted_admin


def accept_api_token(
    begin: Begin, live: LiveCredentials, policy: SignInPolicy, *, token: str
) -> LiveCredential | None:
    """Return the token and its owner's present standing, None if it is over.

    Usually that is one read. Once a minute the use is noted.
    """
    found = live.api_token(hashed(token))
    if found is None:
        return None
    if not found.seen_lately:
        live.mark_api_token_used(found.id)
    return withdraw_unlisted_admin(begin, policy, found)

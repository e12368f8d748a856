"""Recognising a session by its token."""

from identity_service.domain.sign_in import LiveCredential, SignInPolicy, hashed
from identity_service.repositories.live_credentials import LiveCredentials
from identity_service.repositories.transaction import Begin
from identity_service.usecases.withdraw_unlisted_admin import withdraw_unlisted_admin


def resume_session(
    begin: Begin, live: LiveCredentials, policy: SignInPolicy, *, token: str
) -> LiveCredential | None:
    """Return the session and its holder's present standing, None if it is over.

    Usually that is one read. Once a minute the session is prolonged. An admin whose e-mail is no
    longer listed stops being one here.
    """
    session = live.session(hashed(token))
    if session is None:
        return None
    if not session.seen_lately:
        live.mark_session_seen(session.id)
    return withdraw_unlisted_admin(begin, policy, session)

"""Recognising a session by its token."""

from dataclasses import replace

from identity_service.domain.people import Role
from identity_service.domain.sign_in import LiveSession, SignInPolicy, hashed
from identity_service.repositories.live_sessions import LiveSessions
from identity_service.repositories.transaction import Begin


def resume_session(
    begin: Begin, live_sessions: LiveSessions, policy: SignInPolicy, *, token: str
) -> LiveSession | None:
    """Return the session and its holder's present standing, None if it is over.

    Usually that is one read. Once a minute the session is prolonged. An admin whose e-mail is no
    longer listed stops being one here.
    """
    session = live_sessions.find(hashed(token))
    if session is None:
        return None
    if session.role is Role.ADMIN and not policy.is_admin(session.email):
        with begin() as tx:
            tx.people.withdraw_admin(session.user_id)
            role = tx.people.lock(session.user_id)
        session = replace(session, role=role or Role.AUDIENCE)
    if not session.seen_lately:
        live_sessions.mark_seen(session.id)
    return session

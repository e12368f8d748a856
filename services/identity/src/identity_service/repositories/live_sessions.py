"""The one read that every request with a session makes, and the note that the session is used."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Engine, bindparam, func, select, update

from identity_service.domain.sign_in import SEEN_AGAIN_AFTER, LiveSession
from identity_service.models import SessionRow, UserRow
from identity_service.repositories.people import newest_approval

_FIND = (
    select(
        SessionRow.id,
        SessionRow.user_id,
        UserRow.email,
        UserRow.role,
        newest_approval(),
        SessionRow.created_at,
        SessionRow.expires_at,
        SessionRow.last_seen_at >= func.now() - SEEN_AGAIN_AFTER,
    )
    .join(UserRow, UserRow.id == SessionRow.user_id)
    .where(SessionRow.token_hash == bindparam("token_hash"), SessionRow.expires_at > func.now())
)


class LiveSessions:
    """Looks sessions up by their token, outside of transactions: one statement each.

    Role and approval come from the same read, so that they are of this very moment.
    """

    def __init__(self, engine: Engine, *, idle: timedelta) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._idle = idle

    def find(self, token_hash: bytes) -> LiveSession | None:
        """Return the session with this token, None if there is none or it has expired."""
        with self._engine.connect() as connection:
            row = connection.execute(_FIND, {"token_hash": token_hash}).one_or_none()
        return None if row is None else LiveSession(*row)

    def mark_seen(self, session_id: UUID) -> None:
        """Note that a session is used, which prolongs it within its bounds."""
        now = func.now()
        with self._engine.connect() as connection:
            connection.execute(
                update(SessionRow)
                .where(
                    SessionRow.id == session_id,
                    SessionRow.last_seen_at < now - SEEN_AGAIN_AFTER,
                )
                .values(
                    last_seen_at=now,
                    expires_at=func.least(SessionRow.ends_at, now + self._idle),
                )
            )

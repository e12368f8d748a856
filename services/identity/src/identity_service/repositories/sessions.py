"""Every query that opens, ends or removes sessions; `live_sessions` reads them."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert
from sqlalchemy.orm import Session

from identity_service.models import SessionRow


class SessionRepository:
    """Sessions; of a session's token only the hash is stored."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def open(
        self,
        session_id: UUID,
        user_id: UUID,
        token_hash: bytes,
        *,
        idle: timedelta,
        absolute: timedelta,
    ) -> datetime:
        """Open a session and return when it ends at the latest."""
        return self._session.execute(
            insert(SessionRow)
            .values(
                id=session_id,
                user_id=user_id,
                token_hash=token_hash,
                expires_at=func.now() + min(idle, absolute),
                ends_at=func.now() + absolute,
            )
            .returning(SessionRow.ends_at)
        ).scalar_one()

    def end(self, token_hash: bytes) -> None:
        """End the session with this token; a session that is no more stays so."""
        self._session.execute(delete(SessionRow).where(SessionRow.token_hash == token_hash))

    def end_all_of(self, user_id: UUID) -> None:
        """End every session of a person."""
        self._session.execute(delete(SessionRow).where(SessionRow.user_id == user_id))

    def purge(self) -> int:
        """Remove the sessions that have expired and return how many they were."""
        gone = self._session.execute(
            delete(SessionRow).where(SessionRow.expires_at <= func.now()).returning(SessionRow.id)
        )
        return len(gone.all())

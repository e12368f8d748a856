"""Every query that opens, ends or removes sessions; `live_credentials` recognises them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from identity_service.domain.sign_in import OpenSession
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

    def of(self, user_id: UUID) -> Sequence[OpenSession]:
        """Return a person's sessions that are not over, the one used last first."""
        found = self._session.execute(
            select(
                SessionRow.id,
                SessionRow.created_at,
                SessionRow.last_seen_at,
                SessionRow.expires_at,
            )
            .where(SessionRow.user_id == user_id, SessionRow.expires_at > func.now())
            .order_by(SessionRow.last_seen_at.desc(), SessionRow.id.desc())
        )
        return [OpenSession(*row) for row in found]

    def person_of(self, token_hash: bytes) -> UUID | None:
        """Return whose session has this token, None if there is none or it has expired.

        That of a closed account is found too. It proves who asks and gives no access: what counts
        as a sign-in is what `live_credentials` finds.
        """
        return self._session.scalar(
            select(SessionRow.user_id).where(
                SessionRow.token_hash == token_hash, SessionRow.expires_at > func.now()
            )
        )

    def pass_second_factor(self, session_id: UUID, *, user_id: UUID) -> bool:
        """Note that this session of this person has given the second factor, if there is one."""
        passed = self._session.execute(
            update(SessionRow)
            .where(
                SessionRow.id == session_id,
                SessionRow.user_id == user_id,
                SessionRow.expires_at > func.now(),
            )
            .values(second_factor_at=func.now())
            .returning(SessionRow.id)
        )
        return passed.one_or_none() is not None

    def end_second_factor(self, session_id: UUID, *, user_id: UUID) -> bool:
        """Take the second factor from a session of this person; return whether it had it."""
        ended = self._session.execute(
            update(SessionRow)
            .where(
                SessionRow.id == session_id,
                SessionRow.user_id == user_id,
                SessionRow.second_factor_at.is_not(None),
            )
            .values(second_factor_at=None)
            .returning(SessionRow.id)
        )
        return ended.one_or_none() is not None

    def end_second_factors_of(self, user_id: UUID) -> None:
        """Take the second factor from every session of a person."""
        self._session.execute(
            update(SessionRow).where(SessionRow.user_id == user_id).values(second_factor_at=None)
        )

    def end(self, token_hash: bytes) -> None:
        """End the session with this token; a session that is no more stays so."""
        self._session.execute(delete(SessionRow).where(SessionRow.token_hash == token_hash))

    def end_one(self, session_id: UUID, *, user_id: UUID) -> bool:
        """End a session of this person; return whether there was one."""
        gone = self._session.execute(
            delete(SessionRow)
            .where(SessionRow.id == session_id, SessionRow.user_id == user_id)
            .returning(SessionRow.id)
        )
        return gone.one_or_none() is not None

    def end_all_of(self, user_id: UUID) -> int:
        """End every session of a person and return how many there were."""
        gone = self._session.execute(
            delete(SessionRow).where(SessionRow.user_id == user_id).returning(SessionRow.id)
        )
        return len(gone.all())

    def purge(self) -> int:
        """Remove the sessions that have expired and return how many they were."""
        gone = self._session.execute(
            delete(SessionRow).where(SessionRow.expires_at <= func.now()).returning(SessionRow.id)
        )
        return len(gone.all())

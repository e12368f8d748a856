"""Every query that makes, lists or ends API tokens; `live_credentials` recognises them."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from identity_service.domain.api_tokens import ApiToken
from identity_service.models import ApiTokenRow

_SHOWN = (
    ApiTokenRow.id,
    ApiTokenRow.name,
    ApiTokenRow.created_at,
    ApiTokenRow.last_used_at,
    ApiTokenRow.expires_at,
)


class ApiTokenRepository:
    """API tokens, of which only the hash is stored."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def live_count(self, user_id: UUID) -> int:
        """Return how many tokens of a person have not expired.

        The person is locked in this transaction, so that the number stays as it is.
        """
        return self._session.execute(
            select(func.count()).where(
                ApiTokenRow.user_id == user_id, ApiTokenRow.expires_at > func.now()
            )
        ).scalar_one()

    def add(
        self, token_id: UUID, user_id: UUID, token_hash: bytes, *, name: str, lifetime: timedelta
    ) -> ApiToken:
        """Add a token of a person."""
        row = self._session.execute(
            insert(ApiTokenRow)
            .values(
                id=token_id,
                user_id=user_id,
                token_hash=token_hash,
                name=name,
                expires_at=func.now() + lifetime,
            )
            .returning(*_SHOWN)
        ).one()
        return ApiToken(*row)

    def of(self, user_id: UUID) -> Sequence[ApiToken]:
        """Return a person's tokens that have not expired, newest first."""
        found = self._session.execute(
            select(*_SHOWN)
            .where(ApiTokenRow.user_id == user_id, ApiTokenRow.expires_at > func.now())
            .order_by(ApiTokenRow.created_at.desc(), ApiTokenRow.id)
        )
        return [ApiToken(*row) for row in found]

    def end(self, token_id: UUID, *, user_id: UUID) -> bool:
        """End a token of this person; return whether there was one."""
        gone = self._session.execute(
            delete(ApiTokenRow)
            .where(ApiTokenRow.id == token_id, ApiTokenRow.user_id == user_id)
            .returning(ApiTokenRow.id)
        )
        return gone.one_or_none() is not None

    def end_all_of(self, user_id: UUID) -> None:
        """End every token of a person."""
        self._session.execute(delete(ApiTokenRow).where(ApiTokenRow.user_id == user_id))

    def purge(self) -> int:
        """Remove the tokens that have expired and return how many they were."""
        gone = self._session.execute(
            delete(ApiTokenRow)
            .where(ApiTokenRow.expires_at <= func.now())
            .returning(ApiTokenRow.id)
        )
        return len(gone.all())

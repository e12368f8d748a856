"""Housekeeping of idempotency keys; the sale itself writes and reads them in its one call."""

from datetime import timedelta

from sqlalchemy import delete, func
from sqlalchemy.orm import Session

from booking_service.models import IdempotencyKeyRow


class IdempotencyKeyRepository:
    """Keys of requests that took effect."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def forget_older_than(self, age: timedelta) -> int:
        """Remove the keys of requests made longer ago, by the database's clock; return how many."""
        removed = self._session.scalars(
            delete(IdempotencyKeyRow)
            .where(IdempotencyKeyRow.created_at < func.now() - age)
            .returning(IdempotencyKeyRow.key)
        )
        return len(removed.all())

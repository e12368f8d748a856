"""Housekeeping of idempotency keys; the sale itself writes and reads them in its one call."""

from datetime import timedelta

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.orm import Session

from booking_service.models import IdempotencyKeyRow


class IdempotencyKeyRepository:
    """Keys of requests that took effect."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def forget_older_than(self, age: timedelta, *, limit: int) -> int:
        """Remove some keys of requests made longer ago, by the database's clock.

        Returns how many; as many as `limit` means that there may be more.
        """
        row = IdempotencyKeyRow
        key = tuple_(row.user_id, row.operation, row.key)
        old = (
            select(row.user_id, row.operation, row.key)
            .where(row.created_at < func.now() - age)
            .order_by(row.created_at)
            .limit(limit)
        )
        removed = self._session.scalars(delete(row).where(key.in_(old)).returning(row.key))
        return len(removed.all())

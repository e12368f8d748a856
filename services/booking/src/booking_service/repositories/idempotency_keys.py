"""Idempotency keys; the sale writes and reads those of its own in its one call."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from booking_service.domain.bookings import IdempotencyKey
from booking_service.domain.errors import KeyReused, RequestInFlight
from booking_service.models import IdempotencyKeyRow

LOCK_NOT_AVAILABLE = "55P03"
IN_FLIGHT = "This request is still being worked on. Please ask again in a moment."
REUSED = "This Idempotency-Key was used for a different request. Use a new one."


class IdempotencyKeyRepository:
    """Keys of requests that took effect."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(self, user_id: UUID, operation: str, key: IdempotencyKey) -> dict[str, Any] | None:
        """Return what the request with this key took effect as, None if it has not yet.

        A duplicate waits here until the first one's transaction has ended. Before any other lock.

        Raises:
            KeyReused: the key belongs to a different request.
            RequestInFlight: the first one takes too long.
        """
        lock_id = func.hashtextextended(f"{user_id}:{operation}:{key.value}", 0)
        try:
            self._session.execute(select(func.pg_advisory_xact_lock(lock_id)))
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
                raise RequestInFlight(IN_FLIGHT) from error
            raise
        known = self._session.get(IdempotencyKeyRow, (user_id, operation, key.value))
        if known is None:
            return None
        if known.fingerprint != key.fingerprint:
            raise KeyReused(REUSED)
        return known.facts

    def keep(
        self, user_id: UUID, operation: str, key: IdempotencyKey, facts: dict[str, Any]
    ) -> None:
        """Store what a claimed request took effect as."""
        self._session.add(
            IdempotencyKeyRow(
                user_id=user_id,
                operation=operation,
                key=key.value,
                fingerprint=key.fingerprint,
                facts=facts,
            )
        )

    def forget(self, user_id: UUID, key: IdempotencyKey, *, booking_id: UUID) -> None:
        """Remove the key of a booking that came to nothing, so that it is judged afresh."""
        row = IdempotencyKeyRow
        self._session.execute(
            delete(row).where(
                row.user_id == user_id,
                row.key == key.value,
                row.facts["id"].astext == str(booking_id),
            )
        )

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

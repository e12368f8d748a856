"""Records of people who are gone, when they need not be kept any longer."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, cast, func, select
from sqlalchemy.orm import Session

from booking_service.models import BookingRow

_TIME = DateTime(timezone=True)


class RetentionRepository:
    """Anonymous bookings past their `retain_until`; a moment that has not come counts as now."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def shows(self, now: datetime | None, *, after: UUID, limit: int) -> Sequence[UUID]:
        """Return some shows with old bookings, in the order of their ids; without `now`, by now."""
        row = BookingRow
        query = select(row.show_id).where(row.retain_until <= _moment(now), row.show_id > after)
        return self._session.scalars(query.distinct().order_by(row.show_id).limit(limit)).all()

    def discard(self, show_id: UUID, now: datetime | None, *, limit: int) -> int:
        """Remove some old bookings of a show with all that hangs on them; return how many.

        Seats and balance of the show stay right. What is still being paid or refunded stays.
        """
        discard = func.booking.discard_old_v1(show_id, _moment(now), limit)
        return int(self._session.scalar(select(discard)) or 0)


def _moment(now: datetime | None) -> object:
    return func.now() if now is None else cast(now, _TIME)

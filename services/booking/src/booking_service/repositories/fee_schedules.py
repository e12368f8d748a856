"""The fee schedules received from the config service, and the one in use kept in memory."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Protocol

from sqlalchemy import Interval, func, select, type_coerce
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking_service.domain.errors import FeesUnavailable
from booking_service.domain.pricing import FeeSchedule, FeeSlab
from booking_service.models import FeeScheduleRow
from booking_service.repositories.kept import Kept


class FeeScheduleRepository:
    """Received versions; the newest is the last good one."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def newest(self) -> FeeSchedule | None:
        """Return the last good schedule, None before the first was received."""
        row = self._session.scalars(
            select(FeeScheduleRow).order_by(FeeScheduleRow.version.desc()).limit(1)
        ).one_or_none()
        if row is None:
            return None
        return FeeSchedule(
            version=row.version,
            platform_fee_basis_points=row.platform_fee_basis_points,
            slabs=tuple(FeeSlab(**slab) for slab in row.slabs),
        )

    def confirm(self, schedule: FeeSchedule) -> None:
        """Store a schedule, or note that the config service still says the same."""
        slabs = [
            {"from_rupees": slab.from_rupees, "basis_points": slab.basis_points}
            for slab in schedule.slabs
        ]
        self._session.execute(
            insert(FeeScheduleRow)
            .values(
                version=schedule.version,
                platform_fee_basis_points=schedule.platform_fee_basis_points,
                slabs=slabs,
            )
            .on_conflict_do_update(
                index_elements=[FeeScheduleRow.version], set_={"confirmed_at": func.now()}
            )
        )

    def age(self) -> timedelta | None:
        """Return how long ago the config service last confirmed the newest schedule."""
        age = func.now() - FeeScheduleRow.confirmed_at
        return self._session.scalar(
            select(type_coerce(age, Interval)).order_by(FeeScheduleRow.version.desc()).limit(1)
        )


class _HasFeeSchedules(Protocol):
    fee_schedules: FeeScheduleRepository


class CurrentFees:
    """The newest schedule, at most a second behind the database; never a call elsewhere."""

    def __init__(self, read: Callable[[], AbstractContextManager[_HasFeeSchedules]]) -> None:
        def look() -> FeeSchedule | None:
            with read() as tx:
                return tx.fee_schedules.newest()

        self._kept = Kept(look)

    def current(self) -> FeeSchedule:
        """Return the schedule to charge by; with the database away, the last one seen.

        Raises:
            FeesUnavailable: none was ever received.
        """
        schedule = self._kept.current()
        if schedule is None:
            raise FeesUnavailable("Fees are not known yet. Please try again in a moment.")
        return schedule

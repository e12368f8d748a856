"""The fee schedules received from the config service, and the one in use kept in memory."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Protocol

from sqlalchemy import Interval, func, select, type_coerce
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from booking_service.domain.errors import FeesUnavailable
from booking_service.domain.pricing import FeeSchedule, FeeSlab
from booking_service.models import FeeScheduleRow

MEMORY_SECONDS = 1.0


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
    """The newest schedule, at most `MEMORY_SECONDS` behind the database; never a call elsewhere."""

    def __init__(self, read: Callable[[], AbstractContextManager[_HasFeeSchedules]]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._kept: FeeSchedule | None = None
        self._fresh_until = 0.0

    def current(self) -> FeeSchedule:
        """Return the schedule to charge by; with the database away, the last one seen.

        Raises:
            FeesUnavailable: none was ever received.
        """
        kept = self._kept
        if time.monotonic() < self._fresh_until and kept is not None:
            return kept
        # One looks, the others go on with what they have; only before the first do all wait.
        if self._lock.acquire(blocking=kept is None):
            try:
                if time.monotonic() >= self._fresh_until:
                    self._refresh()
                kept = self._kept
            finally:
                self._lock.release()
        if kept is None:
            raise FeesUnavailable("Fees are not known yet. Please try again in a moment.")
        return kept

    def _refresh(self) -> None:
        try:
            with self._read() as tx:
                self._kept = tx.fee_schedules.newest()
        except SQLAlchemyError:
            if self._kept is None:
                raise
        self._fresh_until = time.monotonic() + (MEMORY_SECONDS if self._kept else 0)

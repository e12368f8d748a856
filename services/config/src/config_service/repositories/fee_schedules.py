"""Every query about fee schedules."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config_service.domain.fees import FeeSchedule, FeeScheduleVersion, FeeSlab
from config_service.models import FeeScheduleVersionRow


class FeeScheduleRepository:
    """The versions of the fee schedule, newest last; Postgres' clock decides which is in force."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def in_force(self) -> FeeScheduleVersion | None:
        """Return the newest version whose time has come, None if there is none."""
        row = self._session.scalars(
            select(FeeScheduleVersionRow)
            .where(FeeScheduleVersionRow.effective_from <= func.now())
            .order_by(FeeScheduleVersionRow.version.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else _version(row)

    def add(self, schedule: FeeSchedule, *, author: str, reason: str) -> FeeScheduleVersion:
        """Append a version that is in force from now on.

        Writers queue up, so that numbers have no gap and no two are the same. (The service may not
        lock the table itself: that takes the right to change its rows.)
        """
        self._session.execute(
            select(func.pg_advisory_xact_lock(func.hashtextextended("fee_schedule_version", 0)))
        )
        last = self._session.scalar(select(func.max(FeeScheduleVersionRow.version))) or 0
        row = FeeScheduleVersionRow(
            version=last + 1,
            platform_fee_basis_points=schedule.platform_fee_basis_points,
            slabs=[
                {"from_rupees": slab.from_rupees, "basis_points": slab.basis_points}
                for slab in schedule.slabs
            ],
            author=author,
            reason=reason,
        )
        self._session.add(row)
        self._session.flush()  # the answer carries the times the database set
        self._session.refresh(row)
        return _version(row)


def _version(row: FeeScheduleVersionRow) -> FeeScheduleVersion:
    return FeeScheduleVersion(
        version=row.version,
        schedule=FeeSchedule(
            platform_fee_basis_points=row.platform_fee_basis_points,
            slabs=tuple(FeeSlab(**slab) for slab in row.slabs),
        ),
        effective_from=row.effective_from,
        author=row.author,
        reason=row.reason,
    )

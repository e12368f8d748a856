"""Setting the fees."""

from config_service.domain.fees import FeeSchedule, FeeScheduleVersion
from config_service.repositories.transaction import Begin


def set_fee_schedule(
    begin: Begin, *, schedule: FeeSchedule, author: str, reason: str
) -> FeeScheduleVersion:
    """Put a fee schedule into force for all bookings made from now on.

    Setting what is already in force changes nothing and returns that version.
    """
    with begin() as tx:
        current = tx.fee_schedules.in_force()
        if current is not None and current.schedule == schedule:
            return current
        return tx.fee_schedules.add(schedule, author=author, reason=reason)

"""The fees a new platform starts with."""

from config_service.domain.fees import DEFAULT_FEE_SCHEDULE
from config_service.repositories.transaction import Begin
from config_service.usecases.set_fee_schedule import set_fee_schedule


def seed(begin: Begin) -> str:
    """Set the default fees if none are set; what an admin set since stays."""
    with begin() as tx:
        current = tx.fee_schedules.in_force()
    if current is None:
        current = set_fee_schedule(
            begin, schedule=DEFAULT_FEE_SCHEDULE, author="system", reason="initial fees"
        )
    return f"fee schedule version {current.version}"

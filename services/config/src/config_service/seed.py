"""The fees a new platform starts with; the other settings start with what their migration wrote."""

from config_service.domain.fees import DEFAULT_FEE_SCHEDULE
from config_service.domain.settings import FEES, Edit
from config_service.repositories.transaction import Begin
from config_service.usecases.change_setting import change_setting


def seed(begin: Begin) -> str:
    """Set the default fees if none are set; what an admin set since stays."""
    with begin() as tx:
        fees = tx.settings.standing(FEES)
    if not fees.newest:
        fees = change_setting(
            begin,
            key=FEES,
            # somebody else may have been quicker
            change=lambda now: now.in_force.value if now.in_force else DEFAULT_FEE_SCHEDULE,
            edit=Edit(author=None, reason="initial fees"),
            expected=None,
        )
    return f"fee schedule version {fees.newest}"

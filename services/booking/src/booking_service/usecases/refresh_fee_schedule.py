"""Keeping the fees up to date."""

from booking_service.clients.config import ConfigClient
from booking_service.domain.pricing import FeeSchedule
from booking_service.repositories.transaction import Begin
from service_kit.peers import PeerUnavailable


def refresh_fee_schedule(begin: Begin, config: ConfigClient) -> FeeSchedule:
    """Ask the config service for the fees in force and keep them as the last good ones.

    Raises:
        PeerUnavailable: no usable answer, or one that contradicts what this version was before or
            goes back to an older one; the last good fees stay.
    """
    with begin() as tx:
        known = tx.fee_schedules.newest()
    schedule = config.fee_schedule()
    if known is not None and not schedule.may_follow(known):
        raise PeerUnavailable.of(
            "config", f"answered with another version {schedule.version} than was known"
        )
    with begin() as tx:
        tx.fee_schedules.confirm(schedule)
    return schedule

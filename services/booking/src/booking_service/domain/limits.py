"""How many tickets may be bought: configured, within what the tables allow."""

from dataclasses import dataclass

MAX_TICKETS_PER_BOOKING = 10  # whatever is configured: a CHECK of the table says so too


@dataclass(frozen=True, slots=True)
class BookingLimits:
    """Tickets of one booking, and active tickets of one person for one show."""

    per_booking: int
    per_person_and_show: int


DEFAULT_LIMITS = BookingLimits(per_booking=10, per_person_and_show=10)
"""What holds until the config service has said anything."""

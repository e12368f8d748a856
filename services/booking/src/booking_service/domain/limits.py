"""How many tickets may be bought: configured, within what the tables allow."""

from dataclasses import dataclass

MAX_TICKETS_PER_BOOKING = 10  # whatever is configured: a CHECK of the table says so too
SHOWS_HELD_AT_ONCE = 3  # of so many a person may hold unpaid all that one may have


@dataclass(frozen=True, slots=True)
class BookingLimits:
    """Tickets of one booking, and active tickets of one person for one show."""

    per_booking: int
    per_person_and_show: int

    @property
    def held_per_person(self) -> int:
        """Unpaid tickets that one person may hold, of all shows together."""
        return SHOWS_HELD_AT_ONCE * self.per_person_and_show


DEFAULT_LIMITS = BookingLimits(per_booking=10, per_person_and_show=10)
"""What holds until the config service has said anything."""

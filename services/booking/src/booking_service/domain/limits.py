"""How many tickets may be bought: configured, within what the tables allow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_TICKETS_PER_BOOKING = 10  # whatever is configured: a CHECK of the table says so too


@dataclass(frozen=True, slots=True)
class BookingLimits:
    """Tickets of one booking, and active tickets of one person for one show."""

    per_booking: int
    per_person_and_show: int


DEFAULT_LIMITS = BookingLimits(per_booking=10, per_person_and_show=10)
"""What holds until the config service has said anything."""


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """What the config service says beside the fees; a higher version is a later one.

    The document is kept as it came, also what this release does not read.
    """

    version: int
    document: Mapping[str, Any]

    @property
    def limits(self) -> BookingLimits:
        """The limits, within what the tables allow.

        Raises:
            KeyError, TypeError, ValueError: the document has none that can be read.
        """
        per_booking = int(self.document["ticketsPerBooking"])
        per_person_and_show = int(self.document["ticketsPerPersonAndShow"])
        if per_booking < 1 or per_person_and_show < 1:
            raise ValueError("limits below one ticket")
        return BookingLimits(min(per_booking, MAX_TICKETS_PER_BOOKING), per_person_and_show)

"""The configured rules by which is sold, beside the fees."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from booking_service.domain.limits import (
    DEFAULT_LIMITS,
    MAX_TICKETS_PER_BOOKING,
    BookingLimits,
)
from booking_service.domain.refunds import DEFAULT_POLICY, RefundPolicy, read_policy


@dataclass(frozen=True, slots=True)
class SaleRules:
    """What a new booking is judged by and what it is promised."""

    version: int  # 0: the config service has not said anything yet
    limits: BookingLimits
    hold: timedelta  # how long seats are held for a buyer who has not paid
    refund_policy: RefundPolicy


DEFAULT_RULES = SaleRules(0, DEFAULT_LIMITS, timedelta(minutes=10), DEFAULT_POLICY)
"""What holds until the config service has said anything."""


DEFAULT_RETENTION_YEARS = 8
"""How long financial records are kept after their financial year, if nothing else was said."""

RETENTION_YEARS = range(1, 31)


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """What the config service says beside the fees; a higher version is a later one.

    The document is kept as it came, also what this release does not read.
    """

    version: int
    document: Mapping[str, Any]

    def may_follow(self, known: "PlatformSettings") -> bool:
        """Return whether these may come after those: newer, or the same in all that is read."""
        if self.version != known.version:
            return self.version > known.version
        return (self.sale_rules, self.retention_years) == (known.sale_rules, known.retention_years)

    @property
    def retention_years(self) -> int:
        """How long financial records are kept after their financial year; the default in doubt."""
        years = self.document.get("retentionYears")
        if isinstance(years, int) and years in RETENTION_YEARS:
            return years
        return DEFAULT_RETENTION_YEARS

    @property
    def sale_rules(self) -> SaleRules:
        """The rules to sell by, limits within what the tables allow.

        Raises:
            KeyError, TypeError, ValueError: the document has none that can be read.
        """
        per_booking = int(self.document["ticketsPerBooking"])
        per_person_and_show = int(self.document["ticketsPerPersonAndShow"])
        hold_minutes = int(self.document["holdMinutes"])
        if min(per_booking, per_person_and_show, hold_minutes) < 1:
            raise ValueError("limits below one")
        return SaleRules(
            self.version,
            BookingLimits(min(per_booking, MAX_TICKETS_PER_BOOKING), per_person_and_show),
            timedelta(minutes=hold_minutes),
            read_policy(self.document["refundPolicy"]),
        )

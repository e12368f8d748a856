"""What buyers are told by mail (docs/rules.md#notices)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID
from zoneinfo import ZoneInfo

INDIA = ZoneInfo("Asia/Kolkata")
_INDIAN_COMMAS = re.compile(r"(?<=\d)(?=(\d\d)+\d$)")  # before the last three digits, then by two


class NoticeKind(Enum):
    """Of what a buyer is told; the values are the database's."""

    BOOKED = "BOOKED"
    CANCELLED = "CANCELLED"  # by the buyer
    SHOW_CANCELLED = "SHOW_CANCELLED"
    REFUNDED = "REFUNDED"  # the money is on its way back from the provider


class NoticeOutcome(Enum):
    """What became of a notice; the values are the database's."""

    SENT = "SENT"
    REFUSED = "REFUSED"  # the address takes no mail
    VOID = "VOID"  # there is nobody to tell any more, or it is not so any more


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell the buyer of a booking, with what is so now."""

    id: UUID
    kind: NoticeKind
    age: timedelta  # since it happened
    booking_id: UUID
    buyer_id: UUID
    anonymous: bool  # the buyer's account is deleted
    active: bool  # the booking has its seats
    paid: bool
    title: str
    venue: str
    city: str
    starts_at: datetime
    quantity: int
    ticket_total_paise: int
    convenience_fee_paise: int
    refund_paise: int  # of what this tells

    @property
    def void(self) -> bool:
        """Whether there is nothing, or nobody, to tell any more."""
        return self.anonymous or (self.kind is NoticeKind.BOOKED and not self.active)

    @property
    def total_paise(self) -> int:
        """What the booking costs altogether."""
        return self.ticket_total_paise + self.convenience_fee_paise


def rupees(paise: int) -> str:
    """Return an amount as it is written in India: ₹12,34,567.50."""
    whole, rest = divmod(paise, 100)
    return f"₹{_INDIAN_COMMAS.sub(',', str(whole))}.{rest:02}"


def in_india(moment: datetime) -> str:
    """Return a moment as people there read it: Friday, 4 January 2030, 8:00 pm IST."""
    there = moment.astimezone(INDIA)
    day = f"{there:%A}, {there.day} {there:%B} {there.year}"
    return f"{day}, {there.hour % 12 or 12}:{there:%M} {'am' if there.hour < 12 else 'pm'} IST"

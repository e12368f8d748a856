"""What organizers and admins are shown of what was sold (docs/rules.md#settlement)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

from booking_service.domain.bookings import BookingStatus


@dataclass(frozen=True, slots=True)
class Sums:
    """What confirmed bookings add up to, paid or to be paid at the venue. Paise."""

    tickets_sold: int = 0
    bookings: int = 0
    show_revenue: int = 0  # of tickets
    booking_fee: int = 0  # the convenience fee
    platform_fee: int = 0

    @property
    def platform_revenue(self) -> int:
        """What buyers pay."""
        return self.show_revenue + self.booking_fee

    @property
    def platform_earnings(self) -> int:
        """What of it is the platform's."""
        return self.platform_fee + self.booking_fee

    @property
    def show_earnings(self) -> int:
        """What of it is the creator's."""
        return self.show_revenue - self.platform_fee


@dataclass(frozen=True, slots=True)
class SoldShow:
    """A show with its sums."""

    id: UUID
    title: str
    starts_at: datetime
    venue: str
    is_published: bool
    capacity: int
    price_paise: int
    creator_id: UUID | None
    sums: Sums


@dataclass(frozen=True, slots=True)
class Dashboard:
    """All shows of a creator at a glance."""

    shows: int
    upcoming: int
    tickets_sold: int
    revenue_paise: int
    next_shows: Sequence[SoldShow]


@dataclass(frozen=True, slots=True)
class CollectedShow:
    """A show as admins who pay creators out see it."""

    show: SoldShow
    payable_paise: int  # still; below 0: paid out too much
    disbursed_paise: int | None
    disbursed_at: datetime | None
    disbursed_by: UUID | None  # unknown, too, once that person's account is deleted


class Group(Enum):
    """The groups in which admins see shows; the values are the wire's. A show may be in several."""

    LIFETIME = "lifetime"
    ACTIVE = "active"
    PENDING = "pending"
    BOOKED = "booked"
    UNPUBLISHED = "unpublished"


@dataclass(slots=True)
class Collection:
    """A group of shows and what they add up to."""

    sums: Sums = field(default_factory=Sums)
    shows: list[CollectedShow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Attendee:
    """A booking of somebody who will come."""

    booking_id: UUID
    buyer_id: UUID
    quantity: int
    ticket_total_paise: int
    status: BookingStatus
    created_at: datetime
    admitted: int  # of the tickets

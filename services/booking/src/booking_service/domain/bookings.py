"""Bookings: what was sold to whom, at which terms (docs/rules.md#bookings)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING
from uuid import UUID

from booking_service.domain.errors import ShowStarted
from booking_service.domain.offers import Inventory
from booking_service.domain.payments import PaymentOrder
from booking_service.domain.refunds import (
    NOTHING,
    Money,
    Refund,
    RefundPolicy,
    RefundReason,
    has_right_after_move,
    refund_by_policy,
)

if TYPE_CHECKING:
    from booking_service.domain.tickets import Ticket

IDEMPOTENCY_KEY_HOURS = 24


class BookingStatus(Enum):
    """Where a booking stands; the values are the wire's and the database's."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    CONFIRMED_UNPAID = "CONFIRMED_UNPAID"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


ACTIVE = frozenset({BookingStatus.PENDING, BookingStatus.CONFIRMED, BookingStatus.CONFIRMED_UNPAID})
"""The states in which a booking holds or has seats."""

EDGES: Mapping[BookingStatus, frozenset[BookingStatus]] = {
    BookingStatus.PENDING: frozenset({BookingStatus.CONFIRMED, BookingStatus.FAILED}),
    BookingStatus.CONFIRMED: frozenset({BookingStatus.CANCELLED}),
    BookingStatus.CONFIRMED_UNPAID: frozenset({BookingStatus.CANCELLED}),
    BookingStatus.FAILED: frozenset({BookingStatus.CONFIRMED}),  # captured late, seats still there
    BookingStatus.CANCELLED: frozenset(),
}
"""What may become of a booking. A trigger of the table says the same."""

GIVEN_UP: Mapping[BookingStatus, BookingStatus] = {
    BookingStatus.PENDING: BookingStatus.FAILED,
    BookingStatus.CONFIRMED: BookingStatus.CANCELLED,
    BookingStatus.CONFIRMED_UNPAID: BookingStatus.CANCELLED,
}
"""What becomes of an active booking that is given up, by its buyer or with its show."""


class Counter(Enum):
    """The counters of a show's seats; the values are columns."""

    AVAILABLE = "available"
    LOCKED = "locked"
    SOLD = "sold"


SEATS_IN: Mapping[BookingStatus, Counter] = {
    BookingStatus.PENDING: Counter.LOCKED,
    BookingStatus.CONFIRMED: Counter.SOLD,
    BookingStatus.CONFIRMED_UNPAID: Counter.SOLD,
    BookingStatus.FAILED: Counter.AVAILABLE,
    BookingStatus.CANCELLED: Counter.AVAILABLE,
}
"""Under which counter the seats of a booking are."""


@dataclass(frozen=True, slots=True)
class BookedShow:
    """The show as its buyer is shown it."""

    id: UUID
    title: str
    starts_at: datetime
    venue: str
    price_paise: int
    poster_image_url: str | None


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking with the amounts that were agreed when it was made."""

    id: UUID
    show: BookedShow
    quantity: int
    ticket_total_paise: int
    convenience_fee_paise: int
    platform_fee_paise: int
    status: BookingStatus
    created_at: datetime
    expires_at: datetime | None
    refunds: tuple[Refund, ...] = ()  # only if asked for
    payment: PaymentOrder | None = None  # None: it is not paid online
    tickets: "tuple[Ticket, ...]" = ()  # only if asked for


@dataclass(frozen=True, slots=True)
class BookingAtHand:
    """A booking with its show, neither of which anybody else moves until the transaction ends."""

    id: UUID
    buyer_id: UUID
    quantity: int
    price: Money
    platform_fee_basis_points: int
    status: BookingStatus
    booked_at: datetime
    refund_policy: RefundPolicy
    anonymous: bool  # its buyer's account is deleted
    show: Inventory
    now: datetime  # by the database's clock, after everything that had to be waited for

    @property
    def captured(self) -> Money:
        """What was paid: confirmed bookings are, those paid at the venue are not yet."""
        return self.price if self.status is BookingStatus.CONFIRMED else NOTHING


@dataclass(frozen=True, slots=True)
class Sales:
    """What was sold of a show: its confirmed bookings, paid or to be paid at the venue."""

    show_id: UUID
    tickets: int
    revenue_paise: int  # tickets only
    bookings: int
    disbursed: bool


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's name for one request of one person; `fingerprint` is a digest of its content."""

    value: str
    fingerprint: str


class Payments(Enum):
    """How priced bookings are paid."""

    AT_VENUE = "none"
    ONLINE = "razorpay"


def initial_status(grand_total_paise: int, payments: Payments) -> BookingStatus:
    """Return the status of a new booking: what costs nothing is confirmed, else it is to be paid.

    Seats that are to be paid online are held; at the venue they are sold.
    """
    if grand_total_paise == 0:
        return BookingStatus.CONFIRMED
    if payments is Payments.ONLINE:
        return BookingStatus.PENDING
    return BookingStatus.CONFIRMED_UNPAID


def refund_for_buyer(booking: BookingAtHand) -> tuple[Money, RefundReason]:
    """Return what the buyer of an active booking gets back by giving it up, and why.

    Raises:
        ShowStarted: it is too late, unless the show was cancelled.
    """
    show, offer, paid = booking.show, booking.show.offer, booking.captured
    if show.cancelled_at is not None:
        return paid, RefundReason.SHOW_CANCELLED
    if offer.starts_at <= booking.now:
        raise ShowStarted("This show has started: its bookings cannot be cancelled any more.")
    if has_right_after_move(
        booked_at=booking.booked_at,
        moved_at=show.moved_at,
        starts_at=offer.starts_at,
        now=booking.now,
    ):
        return paid, RefundReason.SHOW_MOVED
    by_policy = refund_by_policy(
        booking.refund_policy, paid, starts_at=offer.starts_at, now=booking.now
    )
    return by_policy, RefundReason.BUYER_CANCELLED

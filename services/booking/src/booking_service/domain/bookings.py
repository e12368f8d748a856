"""Bookings: what was sold to whom, at which terms (docs/rules.md#bookings)."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

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


@dataclass(frozen=True, slots=True)
class Sales:
    """What was sold of a show: its confirmed bookings, paid or to be paid at the venue."""

    show_id: UUID
    tickets: int
    revenue_paise: int  # tickets only
    bookings: int


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

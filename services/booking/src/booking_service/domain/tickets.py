"""Tickets and their way through the door (docs/rules.md#tickets)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from booking_service.domain.bookings import (
    SEATS_IN,
    Booking,
    BookingAtHand,
    BookingStatus,
    Counter,
)
from booking_service.domain.errors import AdmissionNotOpen, TicketCancelled
from booking_service.domain.offers import Offer
from booking_service.domain.ticket_codes import Seat

DOORS_OPEN_BEFORE = timedelta(hours=12)


class TicketStatus(Enum):
    """Where one ticket stands."""

    VALID = "VALID"
    ADMITTED = "ADMITTED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A seat of a booking that was confirmed."""

    seat: Seat
    status: TicketStatus
    code: str | None  # None: it opens no door any more
    admitted_at: datetime | None

    @property
    def id(self) -> str:
        """The ticket's name: its booking and the number of the seat."""
        return f"{self.seat.booking_id}-{self.seat.number}"


@dataclass(frozen=True, slots=True)
class Admission:
    """That a seat was let in, and by which request."""

    admitted_at: datetime
    nonce: str
    by_admin: bool


@dataclass(frozen=True, slots=True)
class AdmittedTicket:
    """What the door is told of a ticket it has let in."""

    seat: Seat
    show: Offer
    quantity: int  # of the booking
    due_paise: int  # of the whole booking, to be paid at the venue
    admitted_at: datetime


def tickets_of(
    booking: Booking, admitted: Mapping[int, datetime], code: Callable[[Seat], str]
) -> tuple[Ticket, ...]:
    """Return the tickets of a booking, none if it was never confirmed.

    Args:
        booking: the booking.
        admitted: when which of its seats were let in.
        code: writes the code of a seat.
    """
    if booking.status in {BookingStatus.PENDING, BookingStatus.FAILED}:
        return ()
    cancelled = booking.status is BookingStatus.CANCELLED
    paid = booking.status is not BookingStatus.CONFIRMED_UNPAID
    seats = [
        Seat(booking.id, booking.show.id, number, paid=paid)
        for number in range(1, booking.quantity + 1)
    ]
    return tuple(
        Ticket(
            seat=seat,
            status=_status(cancelled=cancelled, admitted=seat.number in admitted),
            code=None if cancelled else code(seat),
            admitted_at=admitted.get(seat.number),
        )
        for seat in seats
    )


def require_admissible(booking: BookingAtHand) -> None:
    """Check that the seats of a booking may be let in now.

    Raises:
        TicketCancelled: the booking or its show is cancelled.
        AdmissionNotOpen: it is too early.
    """
    if SEATS_IN[booking.status] is not Counter.SOLD or booking.show.cancelled_at is not None:
        raise TicketCancelled
    if booking.now < booking.show.offer.starts_at - DOORS_OPEN_BEFORE:
        raise AdmissionNotOpen


def _status(*, cancelled: bool, admitted: bool) -> TicketStatus:
    if cancelled:
        return TicketStatus.CANCELLED
    return TicketStatus.ADMITTED if admitted else TicketStatus.VALID

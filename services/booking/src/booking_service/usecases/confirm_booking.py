"""Confirming a booking whose money was captured."""

from enum import Enum, auto
from uuid import UUID

from booking_service.domain.bookings import BookingAtHand, BookingStatus
from booking_service.domain.limits import BookingLimits
from booking_service.domain.notices import NoticeKind
from booking_service.repositories.transaction import Transaction


class Captured(Enum):
    """What captured money means for its booking."""

    CONFIRMED = auto()
    ALREADY_CONFIRMED = auto()
    TO_REFUND = auto()  # in full: the booking is over, and its seats are not to be had any more


def confirm_booking(tx: Transaction, limits: BookingLimits, *, booking_id: UUID) -> Captured:
    """Confirm a booking in the transaction that records the capture of its whole price.

    A hold that has ended, or failed, is confirmed only if seats, sale and limits still allow it,
    and its buyer's account is not being deleted. Nothing of somebody who is gone is confirmed.

    Raises:
        LookupError: there is no such booking.
    """
    booking = tx.reservations.take_in_hand(booking_id)
    if booking is None:
        raise LookupError(f"no booking {booking_id}")
    if booking.status is BookingStatus.CONFIRMED:
        return Captured.ALREADY_CONFIRMED
    if booking.anonymous:
        return Captured.TO_REFUND
    if booking.status is BookingStatus.PENDING or (
        booking.status is BookingStatus.FAILED
        and not tx.deletions.is_closed(booking.buyer_id)
        and _can_be_had_again(booking, tx.reservations.active_tickets(booking), limits)
    ):
        tx.reservations.move(booking, BookingStatus.CONFIRMED)
        tx.ledger.record_capture(booking)
        tx.notices.write(booking_id, NoticeKind.BOOKED)
        return Captured.CONFIRMED
    return Captured.TO_REFUND


def _can_be_had_again(booking: BookingAtHand, active: int, limits: BookingLimits) -> bool:
    show = booking.show
    return (
        show.on_sale
        and booking.now < show.offer.starts_at
        and booking.quantity <= show.available
        and booking.quantity <= limits.per_booking
        and active + booking.quantity <= limits.per_person_and_show
    )

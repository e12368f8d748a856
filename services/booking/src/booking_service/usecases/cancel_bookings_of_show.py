"""Cancelling what was booked of a cancelled show."""

from uuid import UUID

from booking_service.domain.bookings import GIVEN_UP, BookingStatus
from booking_service.domain.notices import NoticeKind
from booking_service.domain.refunds import RefundReason
from booking_service.repositories.transaction import Begin

AT_ONCE = 100


def cancel_bookings_of_show(begin: Begin, *, show_id: UUID) -> None:
    """Cancel every active booking of a show whose sale is stopped, each in its own transaction.

    All captured money is owed back, fee included, and the buyers are told. Interrupted anywhere, it
    goes on where it was; each booking is cancelled once, also if several workers do this.
    """
    after: UUID | None = None
    while True:
        with begin() as tx:
            bookings = tx.cancellations.active_bookings(show_id, after=after, limit=AT_ONCE)
        for booking_id in bookings:
            _cancel(begin, booking_id)
        if len(bookings) < AT_ONCE:
            break
        after = bookings[-1]
    with begin() as tx:
        tx.cancellations.complete(show_id)


def _cancel(begin: Begin, booking_id: UUID) -> None:
    with begin() as tx:
        booking = tx.reservations.take_in_hand(booking_id)
        if booking is None or booking.status not in GIVEN_UP:
            return
        tx.reservations.move(booking, GIVEN_UP[booking.status])
        tx.refunds.owe(booking_id, booking.captured, RefundReason.SHOW_CANCELLED)
        tx.ledger.record_refund(booking, booking.captured)
        if GIVEN_UP[booking.status] is BookingStatus.CANCELLED:
            tx.notices.write(booking_id, NoticeKind.SHOW_CANCELLED)

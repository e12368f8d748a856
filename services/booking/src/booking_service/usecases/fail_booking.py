"""Ending a hold whose payment will not come."""

from uuid import UUID

from booking_service.domain.bookings import BookingStatus
from booking_service.repositories.transaction import Transaction


def fail_booking(tx: Transaction, *, booking_id: UUID) -> bool:
    """Give the seats of a held booking back; return whether they were held until now.

    Any other booking stays as it is: what was captured or cancelled does not fail any more.

    Raises:
        LookupError: there is no such booking.
    """
    booking = tx.reservations.take_in_hand(booking_id)
    if booking is None:
        raise LookupError(f"no booking {booking_id}")
    if booking.status is not BookingStatus.PENDING:
        return False
    tx.reservations.move(booking, BookingStatus.FAILED)
    return True

"""Forgetting a show that catalog deletes."""

from uuid import UUID

from booking_service.domain.errors import HasBookings
from booking_service.repositories.transaction import Begin


def delete_offer(begin: Begin, *, show_id: UUID, version: int) -> int | None:
    """Remove a show that was never booked; return the stored version if that is newer.

    Idempotent. Offers of this version and older ones that arrive later change nothing.

    Raises:
        HasBookings: it has or had bookings; nothing changed.
    """
    with begin() as tx:
        tx.inventory.claim(show_id)
        current = tx.inventory.lock(show_id)
        if current is not None and current.offer.version > version:
            return current.offer.version
        # read after the lock: no sale is under way
        if tx.bookings.any_of_show(show_id) or tx.ledger.any_of_show(show_id):
            raise HasBookings("The show has or had bookings: cancel it instead.")
        tx.inventory.delete(show_id, version=version)
        return None

"""Asking booking to sell a show as a change would have it."""

from uuid import UUID

from catalog_service.clients.booking import OfferClient
from catalog_service.domain.changes import ChangeStatus, wished
from catalog_service.domain.offers import Refusal, offer_of
from catalog_service.repositories.transaction import Begin


def ask_booking(read: Begin, booking: OfferClient, *, change_id: UUID) -> Refusal | None:
    """Offer the show as an open change wishes it, and return why booking does not agree.

    Repeating is harmless: booking takes a version once, and a decided change is not asked about.

    Raises:
        PeerUnavailable: booking did not decide.
    """
    with read() as tx:
        change = tx.changes.find(change_id)
        show = None if change is None else tx.shows.find(change.show_id)
    if change is None or show is None or change.status is not ChangeStatus.OPEN:
        return None
    return booking.put(offer_of(wished(show, change)))

"""Taking over what catalog says of a show."""

from booking_service.domain.offers import Offer, is_news
from booking_service.repositories.transaction import Begin


def put_offer(begin: Begin, *, offer: Offer) -> int:
    """Store an offer if it is newer than the stored one; return the version stored afterwards.

    Idempotent, and indifferent to the order in which versions arrive.

    Raises:
        CapacityBelowSold, HasActiveBookings: it would break a promise to buyers; nothing changed.
        VersionConflict: this version is stored with other content.
    """
    with begin() as tx:
        if tx.inventory.add(offer):
            return offer.version
        current = tx.inventory.lock(offer.show_id)
        if current is None:
            raise AssertionError("an inventory row was there a moment ago and rows are not removed")
        if not is_news(current, offer):
            return current.offer.version
        tx.inventory.rewrite(offer)
        return offer.version

"""Taking over what catalog says of a show."""

from booking_service.domain.errors import AlreadyDisbursed
from booking_service.domain.offers import Offer, is_news, moves
from booking_service.repositories.transaction import Begin, Transaction


def put_offer(begin: Begin, *, offer: Offer, unsold_only: bool = False) -> int:
    """Store an offer if it is newer than the stored one; return the version stored afterwards.

    Idempotent, and indifferent to the order in which versions arrive. If it is `unsold_only`, it is
    refused for a show with tickets held or sold. One of a creator whose account is deleted is
    answered like a stored one and changes nothing.

    Raises:
        CapacityBelowSold, HasActiveBookings, ShowCancelled: it would break a promise to buyers;
            nothing changed.
        AlreadyDisbursed: it would sell a show again that is paid out.
        VersionConflict: this version is stored with other content.
    """
    with begin() as tx:
        if offer.creator_id is not None and tx.deletions.is_gone(offer.creator_id):
            return offer.version
        tx.inventory.claim(offer.show_id)
        deleted = tx.inventory.deleted_version(offer.show_id)
        if deleted is not None and offer.version <= deleted:
            return deleted
        if offer.creator_id is not None:
            tx.creators.share(offer.creator_id)
        return _write(tx, offer, unsold_only=unsold_only)


def _write(tx: Transaction, offer: Offer, *, unsold_only: bool) -> int:
    current = tx.inventory.lock(offer.show_id)
    if current is None:
        tx.inventory.add(offer)
        return offer.version
    if current.locked and tx.reservations.release_expired(offer.show_id):
        current = tx.inventory.lock(offer.show_id) or current
    if not is_news(current, offer, unsold_only=unsold_only):
        return current.offer.version
    if offer.starts_at > current.offer.starts_at and tx.ledger.is_disbursed(offer.show_id):
        raise AlreadyDisbursed("The show is paid out: it does not move to a later time.")
    tx.inventory.rewrite(offer, moves=moves(current, offer))
    return offer.version

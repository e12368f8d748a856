"""Asking booking to sell a show as a change would have it."""

from typing import cast
from uuid import UUID

from catalog_service.clients.booking import OfferClient
from catalog_service.domain.changes import ChangeKind, ChangeStatus, ShowChange, wished
from catalog_service.domain.offers import Refusal, offer_of
from catalog_service.domain.shows import Show
from catalog_service.repositories.transaction import Begin


def ask_booking(read: Begin, booking: OfferClient, *, change_id: UUID) -> Refusal | None:
    """Have booking do what an open change wishes, and return why it does not agree.

    Repeating is harmless: booking takes a version once, and a decided change is not asked about.

    Raises:
        PeerUnavailable: booking did not decide.
    """
    with read() as tx:
        change = tx.changes.find(change_id)
        show = None if change is None else tx.shows.find(change.show_id)
    if change is None or show is None or change.status is not ChangeStatus.OPEN:
        return None
    return _ask(booking, show, change)


def _ask(booking: OfferClient, show: Show, change: ShowChange) -> Refusal | None:
    if change.kind is ChangeKind.DELETE:
        return booking.withdraw(show.id, version=change.version)
    if change.kind is ChangeKind.CANCEL:
        return booking.cancel(
            show.id,
            version=change.version,
            reason=change.wish.reason or "",
            actor_id=cast("UUID", change.actor_id),  # an open change has one
        )
    offer = offer_of(wished(show, change))
    return booking.put_unsold(offer) if change.wish.unsold_only else booking.put(offer)

"""Telling booking what a show is like."""

from uuid import UUID

import structlog

from catalog_service.clients.booking import OfferClient
from catalog_service.domain.offers import offer_of
from catalog_service.repositories.transaction import Begin

log = structlog.get_logger(__name__)


def mirror_offer(read: Begin, booking: OfferClient, *, show_id: UUID) -> None:
    """Bring booking's offer to the show's present state; a later version there stays.

    Raises:
        PeerUnavailable: booking did not answer.
    """
    with read() as tx:
        show = tx.shows.find(show_id)
    if show is None:
        return
    refusal = booking.put(offer_of(show))
    if refusal is not None and refusal.held_version == 0:
        # It describes what is, so there is nothing to undo: somebody has to look at it.
        log.error("booking refused a show as it is", show=str(show_id), code=refusal.code)

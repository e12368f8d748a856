"""Cancelling a show that only booking still knows."""

from uuid import UUID

from catalog_service.clients.booking import OfferClient
from catalog_service.domain.errors import ShowNotFound
from catalog_service.domain.offers import Refusal
from catalog_service.repositories.transaction import Begin


class ShowKnown(Exception):
    """The show is here, and is cancelled like any other."""


def cancel_unknown_show(
    read: Begin, booking: OfferClient, *, show_id: UUID, reason: str, actor_id: UUID
) -> Refusal | None:
    """Stop the sale of a show and have its buyers paid back; return why booking does not.

    For when this service has gone back to a backup from before the show: nobody can find it here.

    Raises:
        ShowKnown: the operator took it for another one.
        ShowNotFound: booking does not offer it, or it is cancelled already.
        PeerUnavailable: booking did not answer; repeating is harmless.
    """
    with read() as tx:
        if tx.shows.find(show_id) is not None:
            raise ShowKnown("The show is here: an ADMIN cancels it.")
    version = dict(booking.versions()).get(show_id)
    if version is None:
        raise ShowNotFound("Booking offers no such show, or it is cancelled.")
    return booking.cancel(show_id, version=version, reason=reason, actor_id=actor_id)

"""Stopping the sale of a show for ever."""

from booking_service.domain.cancellations import CancellationOrder
from booking_service.domain.errors import ShowNotFound
from booking_service.repositories.transaction import Begin


def cancel_show(begin: Begin, *, order: CancellationOrder) -> tuple[bool, int]:
    """Stop a show's sale and leave its bookings to the worker.

    Idempotent: a show is cancelled once, by the first order. An order that is older than the offer
    changes nothing. Who ordered it is not written down if that person's account is deleted.

    Returns:
        Whether the show is cancelled, and the version of that, else of its offer.

    Raises:
        ShowNotFound: there is no such show.
    """
    with begin() as tx:
        if order.actor_id is not None and tx.deletions.is_gone(order.actor_id):
            order = order.anonymous
        tx.inventory.claim(order.show_id)
        show = tx.inventory.lock(order.show_id)
        if show is None:
            raise ShowNotFound("This show does not exist.")
        cancelled = tx.cancellations.version(order.show_id)
        if cancelled is not None:
            return True, cancelled
        if order.version < show.offer.version:
            return False, show.offer.version
        tx.reservations.release_expired(order.show_id)
        tx.cancellations.stop_sale(order)
        tx.work.cancel_bookings(order.show_id)
        return True, order.version

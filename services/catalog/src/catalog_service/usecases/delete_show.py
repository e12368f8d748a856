"""Deleting a show."""

from uuid import UUID

from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeKind, ShowChange, Wish, status_after
from catalog_service.repositories.transaction import Begin
from catalog_service.usecases.lock_show import lock_show


def delete_show(begin: Begin, *, actor: Actor, show_id: UUID) -> ShowChange:
    """Wish a show gone; it is once booking has said that it never had a booking.

    Raises:
        ShowNotFound: there is no such show of the actor's.
        AccountClosed: its creator or the actor is being deleted.
        ChangeInProgress: another change of the show has not been decided yet.
    """
    with begin() as tx:
        show = lock_show(tx, actor, show_id)
        wish = Wish(status=status_after(show.status, ChangeKind.DELETE))
        change = tx.changes.open(show, ChangeKind.DELETE, wish, actor_id=actor.id)
        tx.work.decide_change(change.id)
    return change

"""Cancelling a show."""

from datetime import datetime
from uuid import UUID

from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeKind, ShowChange, Wish, status_after
from catalog_service.domain.errors import ShowEnded
from catalog_service.domain.shows import has_ended
from catalog_service.repositories.transaction import Begin
from catalog_service.usecases.lock_show import lock_show


def cancel_show(
    begin: Begin, *, actor: Actor, show_id: UUID, reason: str, now: datetime
) -> ShowChange:
    """Wish a show cancelled; it is once booking has stopped its sale for ever.

    Booking then gives every buyer the money back, one by one.

    Raises:
        ShowNotFound: there is no such show of the actor's.
        NotPublished: nobody was invited; delete it instead.
        ShowCancelled: it is.
        ShowEnded: it took place; only admins say that it did not.
        AccountClosed: its creator or the actor is being deleted.
        ChangeInProgress: another change of the show has not been decided yet.
    """
    with begin() as tx:
        show = lock_show(tx, actor, show_id)
        wish = Wish(status=status_after(show.status, ChangeKind.CANCEL), reason=reason)
        if has_ended(show, now=now) and not actor.is_admin:
            raise ShowEnded
        change = tx.changes.open(show, ChangeKind.CANCEL, wish, actor_id=actor.id)
        tx.work.decide_change(change.id)
    return change

"""Publishing a show."""

from datetime import datetime
from uuid import UUID

from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeKind, ShowChange, Wish, status_after
from catalog_service.domain.errors import CreatorNotAllowed, NotApproved, ShowInThePast
from catalog_service.repositories.transaction import Begin
from catalog_service.usecases.lock_show import lock_show


def publish_show(begin: Begin, *, actor: Actor, show_id: UUID, now: datetime) -> ShowChange:
    """Wish a draft to be published; it is once booking has opened its offer.

    Raises:
        NotApproved: the actor is neither an approved creator nor an admin.
        ShowNotFound: there is no such show of the actor's.
        AlreadyPublished: it is.
        ShowCancelled: it never will be.
        ShowInThePast: there is nothing left to sell.
        CreatorNotAllowed: its creator may not put shows on; booking would not sell it either.
        AccountClosed: its creator or the actor is being deleted.
        ChangeInProgress: another change of the show has not been decided yet.
    """
    if not actor.may_create:
        raise NotApproved
    with begin() as tx:
        show = lock_show(tx, actor, show_id)
        wish = Wish(status=status_after(show.status, ChangeKind.PUBLISH))
        if show.details.starts_at <= now:
            raise ShowInThePast
        if not tx.standings.is_allowed(show.creator_id):
            raise CreatorNotAllowed
        change = tx.changes.open(show, ChangeKind.PUBLISH, wish, actor_id=actor.id)
        tx.work.decide_change(change.id)
    return change

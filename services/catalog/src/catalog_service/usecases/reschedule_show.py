"""Moving a show to another date."""

from datetime import datetime
from uuid import UUID

from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeKind, ShowChange, Wish, status_after
from catalog_service.domain.errors import AdminsOnly
from catalog_service.repositories.transaction import Begin


def reschedule_show(
    begin: Begin, *, actor: Actor, show_id: UUID, starts_at: datetime
) -> ShowChange:
    """Wish a show to start at another time, a past one too: admins correct what was wrong.

    Raises:
        AdminsOnly: the actor is no admin.
        ShowNotFound: there is no such show.
        ShowCancelled: it takes place at no time.
        ChangeInProgress: another change of the show has not been decided yet.
    """
    if not actor.is_admin:
        raise AdminsOnly
    with begin() as tx:
        show = tx.shows.lock_for(actor, show_id)
        status_after(show.status, ChangeKind.RESCHEDULE)
        wish = Wish(starts_at=starts_at)
        change = tx.changes.open(show, ChangeKind.RESCHEDULE, wish, actor_id=actor.id)
        tx.work.decide_change(change.id)
    return change

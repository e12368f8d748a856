"""Taking a show back."""

from uuid import UUID

from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeKind, ShowChange, Wish, status_after
from catalog_service.domain.errors import AdminsOnly
from catalog_service.repositories.transaction import Begin
from catalog_service.usecases.lock_show import lock_show


def unpublish_show(begin: Begin, *, actor: Actor, show_id: UUID) -> ShowChange:
    """Wish a show to be a draft again; it is once booking has closed a sale that sold nothing.

    Raises:
        AdminsOnly: the actor is no admin.
        ShowNotFound: there is no such show.
        NotPublished, ShowCancelled: there is nothing to take back.
        AccountClosed: its creator or the actor is being deleted.
        ChangeInProgress: another change of the show has not been decided yet.
    """
    if not actor.is_admin:
        raise AdminsOnly
    with begin() as tx:
        show = lock_show(tx, actor, show_id)
        wish = Wish(status=status_after(show.status, ChangeKind.UNPUBLISH), unsold_only=True)
        change = tx.changes.open(show, ChangeKind.UNPUBLISH, wish, actor_id=actor.id)
        tx.work.decide_change(change.id)
    return change

"""Giving a show a platform fee of its own."""

from dataclasses import replace
from uuid import UUID

from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeKind, OwnFee, ShowChange, Wish, status_after
from catalog_service.domain.errors import AdminsOnly, ChangeInProgress
from catalog_service.domain.shows import ShowStatus
from catalog_service.repositories.transaction import Begin
from catalog_service.usecases.lock_show import lock_show


def set_show_fee(begin: Begin, *, actor: Actor, show_id: UUID, fee: OwnFee) -> ShowChange | None:
    """Have later bookings of a show charged by this fee; those that exist keep theirs.

    Returns:
        What booking decides, so that an applied fee is the one it charges; None for a draft,
        which is changed at once.

    Raises:
        AdminsOnly: the actor is no admin.
        ShowNotFound: there is no such show.
        ShowCancelled: it has no later bookings.
        AccountClosed: its creator or the actor is being deleted.
        ChangeInProgress: another change of the show has not been decided yet.
    """
    if not actor.is_admin:
        raise AdminsOnly
    with begin() as tx:
        show = lock_show(tx, actor, show_id)
        status_after(show.status, ChangeKind.SET_FEE)
        if tx.changes.open_of(show.id) is not None:
            raise ChangeInProgress
        if show.platform_fee_basis_points == fee.basis_points:
            return None
        if show.status is ShowStatus.DRAFT:
            version = show.version + 1
            tx.shows.replace(
                replace(show, platform_fee_basis_points=fee.basis_points, version=version)
            )
            tx.work.mirror_offer(show.id, version=version)
            return None
        change = tx.changes.open(show, ChangeKind.SET_FEE, Wish(fee=fee), actor_id=actor.id)
        tx.work.decide_change(change.id)
    return change

"""Applying or dropping a guarded change."""

from dataclasses import replace
from uuid import UUID

from catalog_service.domain.changes import ChangeKind, ShowChange, wished
from catalog_service.domain.offers import Refusal
from catalog_service.domain.shows import Show
from catalog_service.repositories.transaction import Begin, Transaction


def settle_change(begin: Begin, *, change_id: UUID, refusal: Refusal | None) -> None:
    """Apply a change that booking accepted, drop one that it refused.

    A change that is settled already, or whose show is gone, is left alone. After a refusal booking
    is told once more what the show is like, under a version of its own: a copy of the refused
    request that was held up on its way can then do nothing any more.
    """
    with begin() as tx:
        change = tx.changes.find(change_id)
        if change is None:
            return
        show = tx.shows.lock(change.show_id)
        if show is None or not tx.changes.close(change_id, refusal):
            return
        if refusal is None:
            _apply(tx, show, change)
        else:
            version = max(change.version, refusal.held_version) + 1
            tx.shows.replace(replace(show, version=version))
            tx.work.mirror_offer(show.id, version=version)


def _apply(tx: Transaction, show: Show, change: ShowChange) -> None:
    if change.kind is ChangeKind.DELETE:
        tx.shows.remove(show.id)  # and with it its bill and its changes
        return
    tx.shows.replace(wished(show, change))
    if change.wish.bill is not None:
        listed = tx.comedians.hold(change.wish.bill)  # who left the directory meanwhile is not
        tx.comedians.set_bill(show.id, [each for each in change.wish.bill if each in listed])

"""Applying or dropping a guarded change."""

from dataclasses import replace
from uuid import UUID

from catalog_service.domain.changes import wished
from catalog_service.domain.offers import Refusal
from catalog_service.repositories.transaction import Begin


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
        if not tx.changes.close(change_id, refusal):
            return
        if refusal is None:
            tx.shows.replace(wished(show, change))
        else:
            version = max(change.version, refusal.held_version) + 1
            tx.shows.replace(replace(show, version=version))
            tx.work.mirror_offer(show.id, version=version)

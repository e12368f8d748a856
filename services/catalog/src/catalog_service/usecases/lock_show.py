"""Locking a show that a person may change."""

from uuid import UUID

from catalog_service.domain.actors import Actor
from catalog_service.domain.shows import Show
from catalog_service.repositories.transaction import Transaction


def lock_show(tx: Transaction, actor: Actor, show_id: UUID) -> Show:
    """Return a show of the actor's; until the transaction ends nobody else changes or fences it.

    Raises:
        ShowNotFound: there is no such show of the actor's.
        AccountClosed: its creator or the actor is being deleted.
    """
    show = tx.shows.editable_by(
        actor, show_id
    )  # its creator never changes: people are locked first
    tx.deletions.require_open(actor.id, show.creator_id)
    return tx.shows.lock_for(actor, show_id)

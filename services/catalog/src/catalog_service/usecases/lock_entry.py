"""Locking a comedian's entry that a person may change."""

from uuid import UUID

from catalog_service.domain.actors import Actor
from catalog_service.domain.comedians import Comedian
from catalog_service.repositories.transaction import Transaction


def lock_entry(tx: Transaction, actor: Actor, comedian_id: UUID) -> Comedian:
    """Return an entry of the actor's; nobody else changes it until the transaction ends.

    Raises:
        ComedianNotFound: there is no such entry of the actor's.
        AccountClosed: its creator or the actor is being deleted.
    """
    creator_id = tx.comedians.editable_by(actor, comedian_id).created_by
    tx.deletions.require_open(actor.id, *([] if creator_id is None else [creator_id]))
    return tx.comedians.lock_for(actor, comedian_id)

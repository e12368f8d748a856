"""Deleting a comedian's entry."""

from uuid import UUID

from catalog_service.domain.actors import Actor
from catalog_service.domain.errors import ComedianInUse, NotApproved
from catalog_service.repositories.transaction import Begin
from catalog_service.usecases.lock_entry import lock_entry


def delete_comedian(begin: Begin, *, actor: Actor, comedian_id: UUID) -> None:
    """Delete an entry and take it off the bills of its creator's drafts.

    Raises:
        NotApproved: the actor is neither an approved creator nor an admin.
        ComedianNotFound: there is no such entry of the actor's.
        AccountClosed: its creator or the actor is being deleted.
        ComedianInUse: another show has it on its bill; nothing was changed.
    """
    if not actor.may_create:
        raise NotApproved
    with begin() as tx:
        comedian = lock_entry(tx, actor, comedian_id)
        if not tx.comedians.remove(comedian):
            raise ComedianInUse

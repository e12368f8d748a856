"""Fencing a person whose account may be deleted."""

from uuid import UUID

from catalog_service.domain.deletions import Deletion, FenceRefused
from catalog_service.domain.errors import AnotherDeletion
from catalog_service.repositories.transaction import Begin


def fence_account(begin: Begin, *, saga_id: UUID, person_id: UUID) -> Deletion | FenceRefused:
    """Hide a person's shows, and have neither them changed nor anything written by the person.

    All of it or, while a change of one of the shows is not decided, nothing. Repeating is harmless,
    and a fence that arrives after its lift or its purge changes nothing.

    Raises:
        AnotherDeletion: another one has the person fenced or purged.
    """
    with begin() as tx:
        known = tx.deletions.lock(saga_id, person_id)
        if known is not None:
            return known
        if tx.deletions.of_person(person_id) is not None:
            raise AnotherDeletion
        if obstacles := tx.changes.obstacles_of(person_id):
            return FenceRefused(tuple(obstacles))
        return tx.deletions.fence(saga_id, person_id)

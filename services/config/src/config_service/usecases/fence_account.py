"""Remembering that an account may be deleted."""

from uuid import UUID

from config_service.domain.deletions import Deletion, DeletionState
from config_service.repositories.transaction import Begin


def fence_account(begin: Begin, *, saga_id: UUID, person_id: UUID) -> Deletion:
    """Fence a person, who may go on meanwhile: there is nothing here to be kept from changing.

    Repeating is harmless, and a fence that arrives after its lift or its purge changes nothing.

    Raises:
        AnotherDeletion: another one has the person fenced or purged.
    """
    with begin() as tx:
        known = tx.deletions.lock(saga_id, person_id)
        return known or tx.deletions.put(saga_id, person_id, DeletionState.FENCED)

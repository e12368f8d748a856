"""Lifting the fence of a person who stays."""

from uuid import UUID

from catalog_service.domain.deletions import Deletion, DeletionState
from catalog_service.repositories.transaction import Begin


def lift_fence(begin: Begin, *, saga_id: UUID, person_id: UUID) -> Deletion:
    """Have everything as it was before a fence, which is refused if it arrives later.

    Repeating is harmless. A purge that has begun stays.

    Raises:
        AnotherDeletion: this is the deletion of somebody else.
    """
    with begin() as tx:
        known = tx.deletions.lock(saga_id, person_id)
        if known is not None and (known.is_decided or known.state is DeletionState.LIFTED):
            return known
        return tx.deletions.lift(saga_id, person_id)

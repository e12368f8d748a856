"""Forgetting that an account might have been deleted."""

from uuid import UUID

from config_service.domain.deletions import Deletion, DeletionState
from config_service.repositories.transaction import Begin


def lift_fence(begin: Begin, *, saga_id: UUID, person_id: UUID) -> Deletion:
    """End a deletion that came to nothing, also before its fence arrived; a purge stays.

    Raises:
        AnotherDeletion: this is the deletion of somebody else.
    """
    with begin() as tx:
        known = tx.deletions.lock(saga_id, person_id)
        if known is not None and known.state is not DeletionState.FENCED:
            return known
        return tx.deletions.put(saga_id, person_id, DeletionState.LIFTED)

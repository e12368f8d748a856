"""Forgetting a person."""

from uuid import UUID

from config_service.domain.deletions import Deletion, DeletionState
from config_service.repositories.transaction import Begin


def purge_person(begin: Begin, *, saga_id: UUID, person_id: UUID) -> Deletion:
    """Have nobody know any more which settings a person has changed; the versions stay.

    It has been decided for good: a fence need not have come before it, and one of another deletion
    gives way. Repeating says the same. A lifted deletion purges nobody.

    Raises:
        AnotherDeletion: this is the deletion of somebody else.
    """
    with begin() as tx:
        known = tx.deletions.lock(saga_id, person_id)
        if known is not None and known.state is not DeletionState.FENCED:
            return known
        if gone := tx.deletions.tombstone(person_id):
            return gone
        tx.deletions.lift_others(saga_id, person_id)
        counts = {"settingVersionsAnonymised": len(tx.settings.authored_by(person_id))}
        tx.authors.forget(person_id)
        return tx.deletions.put(saga_id, person_id, DeletionState.PURGED, counts)

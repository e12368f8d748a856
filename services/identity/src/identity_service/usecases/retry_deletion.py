"""Beginning another run of a deletion's work."""

from uuid import UUID

from identity_service.domain.audit import Action
from identity_service.domain.errors import DeletionOver, UnknownDeletion
from identity_service.repositories.transaction import Begin


def retry_deletion(begin: Begin, *, saga_id: UUID, admin_id: UUID | None = None) -> None:
    """Have a deletion worked on again, from where it stands.

    Harmless while another run goes on: each of its steps takes effect once, and one run decides.
    With `admin_id` it is written down who wanted it.

    Raises:
        UnknownDeletion: there is no such deletion.
        DeletionOver: it was refused, or the person is gone.
    """
    with begin() as tx:
        attempt = tx.deletions.next_attempt(saga_id)
        if attempt is None:
            if tx.deletions.get(saga_id) is None:
                raise UnknownDeletion
            raise DeletionOver
        tx.work.delete_account(saga_id, attempt=attempt)
        if admin_id is not None:
            person_id, _ = tx.deletions.person_of(saga_id)
            subject = person_id if person_id and tx.people.exists(person_id) else None
            tx.audit.record(
                Action.DELETION_RETRIED,
                actor_id=admin_id,
                subject_id=subject,
                after={"deletion": str(saga_id), "attempt": attempt},
            )

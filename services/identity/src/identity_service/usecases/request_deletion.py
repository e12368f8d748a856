"""Asking for one's account to be deleted."""

from uuid import UUID, uuid4

from identity_service.domain.audit import Action
from identity_service.domain.deletion_links import DeletionLinks
from identity_service.domain.errors import AdminsStay, SignedOut
from identity_service.domain.people import Role
from identity_service.repositories.transaction import Begin
from identity_service.usecases.require_known_key import require_known_key
from service_kit.person_hashes import PersonHashes


def request_deletion(
    begin: Begin, hashes: PersonHashes, links: DeletionLinks, *, user_id: UUID
) -> UUID:
    """Begin a deletion, which a worker carries out; return its id.

    While one is under way, it is that one: a repeated request begins no second, whether the
    account is closed by then or not.

    Raises:
        SignedOut: the person is gone.
        AdminsStay: the person is an admin.
        AnotherErasureKey: nobody would be recognised who was deleted.
    """
    require_known_key(begin, hashes)
    with begin() as tx:
        person = tx.people.lock_even_if_closed(user_id)
        if person is None:
            raise SignedOut
        role, closed_by = person
        if closed_by is not None:
            return closed_by
        if role is Role.ADMIN:
            raise AdminsStay
        under_way = tx.deletions.under_way_of(user_id)
        if under_way is not None:
            return under_way
        saga_id = uuid4()
        tx.deletions.add(
            saga_id,
            person_id=user_id,
            person_hash=hashes.of(user_id),
            link_hash=links.hash_of(saga_id),
        )
        tx.audit.record(Action.DELETION_REQUESTED, actor_id=user_id, subject_id=user_id)
        tx.work.delete_account(saga_id)
    return saga_id

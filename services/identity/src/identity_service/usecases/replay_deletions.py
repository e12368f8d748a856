"""Deleting again whom a restored backup has brought back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol
from uuid import UUID, uuid4

from identity_service.clients.erasure_journal import ErasureJournal
from identity_service.domain.deletion_links import DeletionLinks
from identity_service.domain.deletions import DeletionState
from identity_service.repositories.transaction import Begin
from service_kit.person_hashes import PersonHashes

PEOPLE_AT_ONCE = 1000


class Remembering(Protocol):
    """A service that can say whom of the deleted it knows."""

    def remains(self, hashes: Sequence[bytes]) -> list[UUID]:
        """Return the ids of those it knows."""


def replay_deletions(
    begin: Begin,
    journal: ErasureJournal,
    hashes: PersonHashes,
    links: DeletionLinks,
    holders: Mapping[str, Remembering],
) -> int:
    """Begin to delete, at every holder, whoever is in the journal and known somewhere again.

    There is nothing to refuse: it was decided before. Return how many people that are; a person
    whose deletion is under way is left to that. Harmless at any time.

    Raises:
        PeerUnavailable: a service did not say whom it knows; nothing was begun.
    """
    gone = journal.hashes()
    back = set(_known_here(begin, hashes, set(gone)))
    for holder in holders.values():
        back.update(holder.remains(gone))
    return sum(_delete_again(begin, hashes, links, person_id) for person_id in sorted(back))


def _delete_again(
    begin: Begin, hashes: PersonHashes, links: DeletionLinks, person_id: UUID
) -> bool:
    saga_id = uuid4()
    with begin() as tx:
        if tx.deletions.under_way_of(person_id) is not None:
            return False
        tx.people.close(person_id, by=saga_id)
        tx.deletions.add(
            saga_id,
            person_id=person_id,
            person_hash=hashes.of(person_id),
            link_hash=links.hash_of(saga_id),
            state=DeletionState.PURGING,
        )
        tx.work.delete_account(saga_id)
    return True


def _known_here(begin: Begin, hashes: PersonHashes, gone: set[bytes]) -> Iterable[UUID]:
    return (user_id for user_id in _everybody(begin) if hashes.of(user_id) in gone)


def _everybody(begin: Begin) -> Iterator[UUID]:
    last: UUID | None = None
    while True:
        with begin() as tx:
            some = tx.people.ids_after(last, limit=PEOPLE_AT_ONCE)
        if not some:
            return
        yield from some
        last = some[-1]

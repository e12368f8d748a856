"""Finding people who should be gone."""

from collections.abc import Collection
from uuid import UUID

from catalog_service.repositories.transaction import Begin
from service_kit.person_hashes import PersonHashes

PAGE = 1_000  # people looked at in one statement


def find_remains(read: Begin, hashes: PersonHashes, *, wanted: Collection[bytes]) -> list[UUID]:
    """Return the ids of people stored here whose keyed hash is among these.

    After a backup was restored, that is whom it has brought back.
    """
    sought = frozenset(wanted)
    found: list[UUID] = []
    after: UUID | None = None
    while True:
        with read() as tx:
            people = tx.people.page(after=after, limit=PAGE)
        found += [person_id for person_id in people if hashes.of(person_id) in sought]
        if len(people) < PAGE:
            return found
        after = people[-1]

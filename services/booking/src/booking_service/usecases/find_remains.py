"""Finding people who are gone and came back, as with the restore of a backup."""

from collections.abc import Collection
from uuid import UUID

from booking_service.repositories.transaction import Begin
from service_kit.person_hashes import PersonHashes

PEOPLE_AT_ONCE = 5_000


def find_remains(read: Begin, hashes: PersonHashes, *, of: Collection[bytes]) -> list[UUID]:
    """Return the ids, among all that are stored, of people with these hashes.

    In pages, each in a transaction of its own: it holds few ids at a time, however many there are.
    """
    wanted, found = frozenset(of), []
    page, after = PEOPLE_AT_ONCE, UUID(int=0)
    while page == PEOPLE_AT_ONCE:
        with read() as tx:
            people = tx.people.ids(after=after, limit=PEOPLE_AT_ONCE)
        found += [person_id for person_id in people if hashes.of(person_id) in wanted]
        page = len(people)
        after = people[-1] if people else after
    return found

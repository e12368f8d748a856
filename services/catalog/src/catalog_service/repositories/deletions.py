"""Every query about deletions of accounts, but for the condition on shows (`shows`)."""

from collections.abc import Collection, Iterator, Mapping
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Function, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog_service.domain.deletions import Deletion, DeletionState
from catalog_service.domain.errors import AccountClosed, AnotherDeletion
from catalog_service.models import AccountDeletionRow, FencedPersonRow
from service_kit.person_hashes import PersonHashes


class DeletionRepository:
    """Deletions, and whose writes they stop. What stays of a person is nothing but a keyed hash.

    Whoever writes a person's id holds the person shared until the transaction ends, a step of the
    person's deletion exclusively: so neither happens between the other's look and its commit.
    People are locked before everything else.
    """

    def __init__(self, session: Session, hashes: PersonHashes) -> None:
        self._session = session
        self._hashes = hashes

    def require_open(self, *person_ids: UUID) -> None:
        """Let nobody fence or purge these people until the transaction ends.

        Raises:
            AccountClosed: the account of one of them is being deleted, or is gone.
        """
        person_hashes = sorted({self._hashes.of(person_id) for person_id in person_ids})
        locks = (func.pg_advisory_xact_lock_shared(_lock_id(each)) for each in person_hashes)
        self._session.execute(select(*locks))
        # a statement of its own: it sees what the one before waited for
        closed = exists().where(
            AccountDeletionRow.person_hash.in_(person_hashes),
            AccountDeletionRow.state != DeletionState.LIFTED,
        )
        if self._session.scalar(select(closed)):
            raise AccountClosed

    def is_decided(self, person_id: UUID) -> bool:
        """Return whether a person goes for good; that stays so until the transaction ends."""
        lock_id = _lock_id(self._hashes.of(person_id))
        self._session.execute(select(func.pg_advisory_xact_lock_shared(lock_id)))
        decided = exists().where(*self._open_of(person_id), AccountDeletionRow.counts.is_not(None))
        return bool(self._session.scalar(select(decided)))

    def lock(self, saga_id: UUID, person_id: UUID) -> Deletion | None:
        """Return a deletion, None if nothing was heard of it; nobody writes the person meanwhile.

        Raises:
            AnotherDeletion: it is the deletion of somebody else.
        """
        person_hash = self._hashes.of(person_id)
        self._session.execute(select(func.pg_advisory_xact_lock(_lock_id(person_hash))))
        row = self._session.get(AccountDeletionRow, saga_id)
        if row is not None and row.person_hash != person_hash:
            raise AnotherDeletion
        return None if row is None else _deletion(row)

    def of_person(self, person_id: UUID) -> Deletion | None:
        """Return the deletion that has a locked person fenced or purged."""
        row = self._session.scalars(
            select(AccountDeletionRow).where(*self._open_of(person_id))
        ).one_or_none()
        return None if row is None else _deletion(row)

    def fence(self, saga_id: UUID, person_id: UUID) -> Deletion:
        """Hide the shows of a locked person without a deletion; stop what the person writes."""
        self._hide(person_id)
        return self._put(saga_id, person_id, Deletion(DeletionState.FENCED))

    def lift(self, saga_id: UUID, person_id: UUID) -> Deletion:
        """Undo a locked person's fence; remember it if it never came."""
        is_fenced = exists().where(
            AccountDeletionRow.saga_id == saga_id, AccountDeletionRow.state == DeletionState.FENCED
        )
        self._session.execute(
            delete(FencedPersonRow).where(FencedPersonRow.person_id == person_id, is_fenced)
        )
        return self._put(saga_id, person_id, Deletion(DeletionState.LIFTED))

    def decide(self, saga_id: UUID, person_id: UUID) -> Deletion:
        """Begin the purge of a locked person; what any other deletion has fenced is this one's."""
        self._session.execute(
            update(AccountDeletionRow)
            .where(*self._open_of(person_id), AccountDeletionRow.saga_id != saga_id)
            .values(state=DeletionState.LIFTED, ended_at=func.now())
        )
        self._hide(person_id)
        return self._put(saga_id, person_id, Deletion(DeletionState.FENCED, {}))

    def count(self, saga_id: UUID, gone: Mapping[str, int]) -> None:
        """Add up what has gone in the purge of a locked person."""
        row = self._session.get_one(AccountDeletionRow, saga_id)
        before = row.counts or {}
        row.counts = {name: before.get(name, 0) + gone.get(name, 0) for name in {**before, **gone}}

    def close(self, saga_id: UUID, person_id: UUID) -> Deletion:
        """Make a tombstone of the deletion of a locked person of whom nothing is left."""
        self._session.execute(delete(FencedPersonRow).where(FencedPersonRow.person_id == person_id))
        row = self._session.get_one(AccountDeletionRow, saga_id)
        return self._put(saga_id, person_id, Deletion(DeletionState.PURGED, row.counts or {}))

    def remember(self, person_hashes: Collection[bytes]) -> None:
        """Have people be gone of whom nothing is stored; whose deletion is known is left alone."""
        gone = {"state": DeletionState.PURGED, "counts": {}, "ended_at": func.now()}
        rows = [{"saga_id": uuid4(), "person_hash": each, **gone} for each in person_hashes]
        if rows:
            self._session.execute(insert(AccountDeletionRow).values(rows).on_conflict_do_nothing())

    def _hide(self, person_id: UUID) -> None:
        self._session.execute(
            insert(FencedPersonRow).values(person_id=person_id).on_conflict_do_nothing()
        )

    def _put(self, saga_id: UUID, person_id: UUID, deletion: Deletion) -> Deletion:
        new = insert(AccountDeletionRow).values(
            saga_id=saga_id,
            person_hash=self._hashes.of(person_id),
            state=deletion.state,
            counts=deletion.counts,
            ended_at=None if deletion.state is DeletionState.FENCED else func.now(),
        )
        changed = {name: new.excluded[name] for name in ("state", "counts", "ended_at")}
        self._session.execute(
            new.on_conflict_do_update(index_elements=[AccountDeletionRow.saga_id], set_=changed)
        )
        return deletion

    def _open_of(self, person_id: UUID) -> Iterator[ColumnElement[bool]]:
        yield AccountDeletionRow.person_hash == self._hashes.of(person_id)
        yield AccountDeletionRow.state != DeletionState.LIFTED


def _lock_id(person_hash: bytes) -> Function[int]:
    return func.hashtextextended(f"person:{person_hash.hex()}", 0)


def _deletion(row: AccountDeletionRow) -> Deletion:
    return Deletion(row.state, row.counts)

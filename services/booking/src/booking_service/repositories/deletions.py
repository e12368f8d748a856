"""Deletions of accounts, and the lock between them and whatever writes a person's id.

A fence or purge claims the person; a writer shares the person and then looks, so that it either
commits before the fence or sees it. The lock comes before all others but that of idempotency keys.
"""

from collections.abc import Collection, Mapping
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ColumnElement, exists, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking_service.domain.deletions import Counted, Deletion, DeletionState
from booking_service.domain.errors import AccountClosed, AnotherDeletion
from booking_service.models import AccountDeletionRow
from service_kit.person_hashes import PersonHashes

_CLAIM = "person:"


class DeletionRepository:
    """People whose accounts are being deleted, or are; of each a keyed hash."""

    def __init__(self, session: Session, hashes: PersonHashes) -> None:
        self._session = session
        self._hashes = hashes

    def claim(self, person_id: UUID) -> None:
        """Have whatever writes this person's id wait until this transaction ends."""
        lock_id = _lock_id(self._hashes.of(person_id))
        self._session.execute(select(func.pg_advisory_xact_lock(lock_id)))

    def require_open(self, person_id: UUID) -> None:
        """Have a person's fence wait until this transaction ends, which may write the id.

        Raises:
            AccountClosed: the person is fenced or gone.
        """
        self._share(person_id)
        if self.is_closed(person_id):
            raise AccountClosed

    def is_gone(self, person_id: UUID) -> bool:
        """Return whether a person's purge has begun; if not, it waits for this transaction."""
        self._share(person_id)
        row = AccountDeletionRow
        begun = or_(row.state == DeletionState.PURGED, row.counts.is_not(None))
        return self._is_any(row.person_hash == self._hashes.of(person_id), begun)

    def is_closed(self, person_id: UUID) -> bool:
        """Return whether a person is fenced or gone, as last committed."""
        return bool(self._session.scalar(select(is_closed(self._hashes.of(person_id)))))

    def of_saga(self, saga_id: UUID, person_id: UUID) -> Deletion | None:
        """Return a deletion, None if nothing was heard of it yet.

        Raises:
            AnotherDeletion: it is somebody else's.
        """
        row = self._session.execute(
            select(
                AccountDeletionRow.person_hash, AccountDeletionRow.state, AccountDeletionRow.counts
            ).where(AccountDeletionRow.saga_id == saga_id)
        ).one_or_none()
        if row is None:
            return None
        if row.person_hash != self._hashes.of(person_id):
            raise AnotherDeletion
        return Deletion(saga_id, row.state, row.counts)

    def tombstone(self, person_id: UUID) -> Deletion | None:
        """Return the deletion by which a person went, None if the person is not gone."""
        row = AccountDeletionRow
        found = self._session.execute(
            select(row.saga_id, row.state, row.counts).where(
                row.person_hash == self._hashes.of(person_id), row.state == DeletionState.PURGED
            )
        ).one_or_none()
        return None if found is None else Deletion(*found)

    def lift_others(self, saga_id: UUID, person_id: UUID) -> None:
        """Have every other deletion of a claimed person give way, whatever it has done so far."""
        row = AccountDeletionRow
        self._session.execute(
            update(row)
            .where(
                row.person_hash == self._hashes.of(person_id),
                row.state == DeletionState.FENCED,
                row.saga_id != saga_id,
            )
            .values(state=DeletionState.LIFTED, ended_at=func.now(), counts=null())
        )

    def fence(self, saga_id: UUID, person_id: UUID) -> None:
        """Write down that a person is fenced. Call it with the person claimed.

        Raises:
            AnotherDeletion: another deletion has the person, or the saga is somebody else's.
        """
        self._add(saga_id, person_id, state=DeletionState.FENCED, ended_at=None)

    def lift(self, saga_id: UUID, person_id: UUID) -> None:
        """Write down that a deletion came to nothing, whether or not its fence ever arrived.

        Call it with the person claimed, and not once the purge has begun.
        """
        ended = {"state": DeletionState.LIFTED, "ended_at": func.now()}
        lifted = self._session.execute(
            update(AccountDeletionRow)
            .where(
                AccountDeletionRow.saga_id == saga_id,
                AccountDeletionRow.state == DeletionState.FENCED,
                AccountDeletionRow.counts.is_(None),
            )
            .values(ended)
            .returning(AccountDeletionRow.saga_id)
        ).one_or_none()
        if lifted is None:
            self._add(saga_id, person_id, **ended)

    def begin_purge(self, saga_id: UUID) -> None:
        """Have a fence never be lifted again; repeating it changes nothing."""
        row = AccountDeletionRow
        self._session.execute(
            update(row)
            .where(row.saga_id == saga_id, row.counts.is_(None))
            .values(counts={each.value: 0 for each in Counted})
        )

    def count(self, saga_id: UUID, what: Counted, *, number: int = 1) -> None:
        """Add to what the purge came to so far."""
        row = AccountDeletionRow
        sum_ = row.counts[what.value].astext.cast(BigInteger) + number
        self._session.execute(
            update(row)
            .where(row.saga_id == saga_id, row.state == DeletionState.FENCED)
            .values(counts=row.counts.concat(func.jsonb_build_object(what.value, sum_)))
            .execution_options(synchronize_session=False)
        )

    def complete(self, saga_id: UUID) -> Mapping[str, int]:
        """Write down that the person is gone, for ever; return what the purge came to."""
        row = AccountDeletionRow
        return (
            self._session.scalars(
                update(row)
                .where(row.saga_id == saga_id, row.state == DeletionState.FENCED)
                .values(state=DeletionState.PURGED, ended_at=func.now())
                .returning(row.counts)
                .execution_options(synchronize_session=False)
            ).one()
            or {}
        )

    def remember(self, person_hashes: Collection[bytes]) -> None:
        """Have people be gone of whom nothing is stored; whose deletion is known is left alone."""
        gone = {"state": DeletionState.PURGED, "counts": {}, "ended_at": func.now()}
        rows = [{"saga_id": uuid4(), "person_hash": each, **gone} for each in person_hashes]
        if rows:
            self._session.execute(insert(AccountDeletionRow).values(rows).on_conflict_do_nothing())

    def _add(self, saga_id: UUID, person_id: UUID, **values: object) -> None:
        added = self._session.execute(
            insert(AccountDeletionRow)
            .values(saga_id=saga_id, person_hash=self._hashes.of(person_id), **values)
            .on_conflict_do_nothing()
            .returning(AccountDeletionRow.saga_id)
        ).one_or_none()
        if added is None:
            raise AnotherDeletion

    def _share(self, person_id: UUID) -> None:
        lock_id = _lock_id(self._hashes.of(person_id))
        self._session.execute(select(func.pg_advisory_xact_lock_shared(lock_id)))

    def _is_any(self, *conditions: ColumnElement[bool]) -> bool:
        return bool(self._session.scalar(select(exists().where(*conditions))))


def is_closed(person_hash: bytes) -> ColumnElement[bool]:
    """Return whether the person of a hash is fenced or gone, as a column."""
    row = AccountDeletionRow
    return exists().where(row.person_hash == person_hash, row.state != DeletionState.LIFTED)


def _lock_id(person_hash: bytes) -> ColumnElement[int]:
    return func.hashtextextended(f"{_CLAIM}{person_hash.hex()}", 0)

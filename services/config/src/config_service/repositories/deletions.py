"""Every query about deletions of accounts."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config_service.domain.deletions import Deletion, DeletionState
from config_service.domain.errors import AccountClosed, AnotherDeletion
from config_service.models import AccountDeletionRow
from service_kit.person_hashes import PersonHashes


class DeletionRepository:
    """Deletions, and whose writes they stop. Of a person nothing but the keyed hash is stored.

    Whoever writes a person's id holds the person shared until the transaction ends, a step of the
    person's deletion exclusively: so neither happens between the other's look and its commit.
    """

    def __init__(self, session: Session, hashes: PersonHashes) -> None:
        self._session = session
        self._hashes = hashes

    def require_not_purged(self, person_id: UUID) -> None:
        """Let nobody purge this person until the transaction ends; call it before other locks.

        Raises:
            AccountClosed: the person is gone already.
        """
        self._session.execute(select(func.pg_advisory_xact_lock_shared(self._lock_id(person_id))))
        # a statement of its own: it sees what the one before waited for
        if self.tombstone(person_id) is not None:
            raise AccountClosed

    def lock(self, saga_id: UUID, person_id: UUID) -> Deletion | None:
        """Return a deletion, None if nothing was heard of it; nobody writes the person meanwhile.

        Raises:
            AnotherDeletion: it is the deletion of somebody else.
        """
        self._session.execute(select(func.pg_advisory_xact_lock(self._lock_id(person_id))))
        row = self._session.get(AccountDeletionRow, saga_id)
        if row is not None and row.person_hash != self._hashes.of(person_id):
            raise AnotherDeletion
        return None if row is None else _deletion(row)

    def tombstone(self, person_id: UUID) -> Deletion | None:
        """Return the deletion by which a person is gone, None if the person is not."""
        row = self._session.scalars(
            select(AccountDeletionRow).where(
                AccountDeletionRow.person_hash == self._hashes.of(person_id),
                AccountDeletionRow.state == DeletionState.PURGED,
            )
        ).one_or_none()
        return None if row is None else _deletion(row)

    def put(
        self,
        saga_id: UUID,
        person_id: UUID,
        state: DeletionState,
        counts: Mapping[str, int] | None = None,
    ) -> Deletion:
        """Note the state of a locked person's deletion.

        Raises:
            AnotherDeletion: another one has the person fenced or purged.
        """
        new = insert(AccountDeletionRow).values(
            saga_id=saga_id,
            person_hash=self._hashes.of(person_id),
            state=state,
            counts=counts,
            ended_at=None if state is DeletionState.FENCED else func.now(),
        )
        others = (
            AccountDeletionRow.person_hash == self._hashes.of(person_id),
            AccountDeletionRow.saga_id != saga_id,
            AccountDeletionRow.state != DeletionState.LIFTED,
        )
        if state is not DeletionState.LIFTED and self._session.scalar(
            select(AccountDeletionRow.saga_id).where(*others)
        ):
            raise AnotherDeletion
        changes: dict[str, Any] = {
            name: new.excluded[name] for name in ("state", "counts", "ended_at")
        }
        self._session.execute(
            new.on_conflict_do_update(index_elements=[AccountDeletionRow.saga_id], set_=changes)
        )
        return Deletion(state, counts or {})

    def remember(self, person_hashes: Collection[bytes]) -> None:
        """Have people be gone of whom nothing is stored; whose deletion is known is left alone."""
        gone = {"state": DeletionState.PURGED, "counts": {}, "ended_at": func.now()}
        rows = [{"saga_id": uuid4(), "person_hash": each, **gone} for each in person_hashes]
        if rows:
            self._session.execute(insert(AccountDeletionRow).values(rows).on_conflict_do_nothing())

    def lift_others(self, saga_id: UUID, person_id: UUID) -> None:
        """End every deletion of a locked person but this one, which has been decided."""
        self._session.execute(
            update(AccountDeletionRow)
            .where(
                AccountDeletionRow.person_hash == self._hashes.of(person_id),
                AccountDeletionRow.saga_id != saga_id,
                AccountDeletionRow.state == DeletionState.FENCED,
            )
            .values(state=DeletionState.LIFTED, ended_at=func.now())
        )

    def _lock_id(self, person_id: UUID) -> Any:
        return func.hashtextextended(f"person:{self._hashes.of(person_id).hex()}", 0)


def _deletion(row: AccountDeletionRow) -> Deletion:
    return Deletion(row.state, row.counts or {})

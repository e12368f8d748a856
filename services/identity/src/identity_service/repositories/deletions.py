"""Every query about deletions of accounts, but for the removal of the person (`people.erase`)."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Interval,
    and_,
    exists,
    func,
    or_,
    select,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from identity_service.domain.deletions import (
    FENCING,
    IDLE_AFTER,
    OPEN,
    STUCK_AFTER_FAILURES,
    WORKED_ON,
    Deletion,
    DeletionState,
    DeletionStep,
    Reason,
    read_reasons,
    stored_reasons,
)
from identity_service.models import (
    AccountDeletionRow,
    AccountDeletionStepRow,
    ErasureKeyRow,
    UserRow,
)

FIRST_FENCE = f"fence_{FENCING[0]}"


class DeletionRepository:
    """Deletions and their steps. A state changes by guarded statements only: one run decides."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        saga_id: UUID,
        *,
        person_id: UUID,
        person_hash: bytes,
        link_hash: bytes,
        state: DeletionState = DeletionState.PREPARING,
    ) -> None:
        """Add a deletion of a person who has none under way."""
        begun_decided = state is DeletionState.PURGING
        self._session.execute(
            insert(AccountDeletionRow).values(
                saga_id=saga_id,
                person_id=person_id,
                person_hash=person_hash,
                link_hash=link_hash,
                state=state,
                decided_at=func.now() if begun_decided else None,
            )
        )

    def key_check(self) -> bytes | None:
        """Return by what the key of the hashes is recognised, None before its first use."""
        return self._session.scalar(select(ErasureKeyRow.key_check))

    def remember_key(self, key_check: bytes) -> bytes:
        """Write down which key is in use, of several at once the first; return what is written."""
        self._session.execute(
            insert(ErasureKeyRow).values(key_check=key_check).on_conflict_do_nothing()
        )
        return self._session.scalars(select(ErasureKeyRow.key_check)).one()

    def under_way_of(self, person_id: UUID) -> UUID | None:
        """Return the deletion of this person that is not over, None if there is none."""
        row = AccountDeletionRow
        return self._session.scalar(
            select(row.saga_id).where(row.person_id == person_id, row.state.in_(WORKED_ON))
        )

    def get(self, saga_id: UUID) -> Deletion | None:
        """Return a deletion with its steps, None if it is unknown."""
        return self._one(AccountDeletionRow.saga_id == saga_id)

    def by_link(self, link_hash: bytes) -> Deletion | None:
        """Return the deletion that a link is about, None if there is no such link."""
        return self._one(AccountDeletionRow.link_hash == link_hash)

    def state(self, saga_id: UUID) -> DeletionState:
        """Return how far a deletion is."""
        row = AccountDeletionRow
        return self._session.execute(select(row.state).where(row.saga_id == saga_id)).scalar_one()

    def person_of(self, saga_id: UUID) -> tuple[UUID | None, bytes]:
        """Return whom a deletion is about, None once the person is gone, and the person's hash."""
        row = AccountDeletionRow
        found = self._session.execute(
            select(row.person_id, row.person_hash).where(row.saga_id == saga_id)
        ).one()
        return found.person_id, found.person_hash

    def email_of_asker(self, saga_id: UUID) -> str | None:
        """Return the address of who asked for a deletion; None if nobody did, or she is gone.

        What was asked for began with a fence; what a replay begins is decided from the start.
        """
        row, step = AccountDeletionRow, AccountDeletionStepRow
        asked = exists().where(step.saga_id == row.saga_id, step.name == FIRST_FENCE)
        return self._session.scalar(
            select(UserRow.email)
            .join(row, row.person_id == UserRow.id)
            .where(row.saga_id == saga_id, asked)
        )

    def move(
        self,
        saga_id: UUID,
        *,
        to: DeletionState,
        sources: Collection[DeletionState],
        reasons: Sequence[Reason] = (),
    ) -> bool:
        """Change the state if it is one of `sources`; return whether it was."""
        row = AccountDeletionRow
        now = func.clock_timestamp()
        moved: dict[str, object] = {"state": to, "moved_at": now}
        if reasons:
            moved["reasons"] = stored_reasons(reasons)
        if to is DeletionState.PURGING:
            moved["decided_at"] = now
        if to not in OPEN:
            moved["ended_at"] = now
        if to is DeletionState.PURGED:
            moved["person_id"] = None
        done = self._session.execute(
            update(row)
            .where(row.saga_id == saga_id, row.state.in_(sources))
            .values(**moved)
            .returning(row.saga_id)
        )
        return done.one_or_none() is not None

    def begin_step(self, saga_id: UUID, name: str) -> timedelta:
        """Note that a step is tried; return for how long it has been."""
        row = AccountDeletionStepRow
        self._session.execute(
            insert(row).values(saga_id=saga_id, name=name).on_conflict_do_nothing()
        )
        self._touch(saga_id)
        now, started_at = self._session.execute(
            select(func.clock_timestamp(), row.started_at).where(
                row.saga_id == saga_id, row.name == name
            )
        ).one()
        age: timedelta = now - started_at
        return age

    def begin_fence(self, saga_id: UUID, name: str) -> timedelta | None:
        """Like `begin_step`, but None if it is decided: then nothing is fenced any more."""
        row = AccountDeletionRow
        state = self._session.scalar(
            select(row.state).where(row.saga_id == saga_id).with_for_update()
        )
        if state is not DeletionState.PREPARING:
            return None
        return self.begin_step(saga_id, name)

    def end_step(self, saga_id: UUID, name: str, counts: Mapping[str, int] | None = None) -> None:
        """Note that a step is done; the counts of the first time stay."""
        row = AccountDeletionStepRow
        self._session.execute(
            update(row)
            .where(row.saga_id == saga_id, row.name == name, row.done_at.is_(None))
            .values(done_at=func.clock_timestamp(), problem=None, counts=counts)
        )
        self._touch(saga_id)

    def note_failure(self, saga_id: UUID, name: str, problem: str) -> None:
        """Note that a step was tried in vain."""
        row = AccountDeletionStepRow
        self._session.execute(
            update(row)
            .where(row.saga_id == saga_id, row.name == name)
            .values(failures=row.failures + 1, problem=problem)
        )
        self._touch(saga_id)

    def begun(self, saga_id: UUID) -> set[str]:
        """Return the names of the steps that were begun."""
        row = AccountDeletionStepRow
        return set(self._session.scalars(select(row.name).where(row.saga_id == saga_id)))

    def idle(self) -> list[Deletion]:
        """Return the deletions that are not over and have not moved for a while."""
        row = AccountDeletionRow
        return self._all(
            row.state.in_(WORKED_ON), row.moved_at < func.clock_timestamp() - IDLE_AFTER
        )

    def purged(self) -> list[Deletion]:
        """Return the deletions of which only the traces of the work are left."""
        return self._all(AccountDeletionRow.state == DeletionState.PURGED)

    def next_attempt(self, saga_id: UUID) -> int | None:
        """Begin another run of the work; None if the deletion is over."""
        row = AccountDeletionRow
        return self._session.execute(
            update(row)
            .where(row.saga_id == saga_id, row.state.in_(WORKED_ON))
            .values(attempt=row.attempt + 1, moved_at=func.clock_timestamp())
            .returning(row.attempt)
        ).scalar_one_or_none()

    def forget_reasons_of(self, person_id: UUID) -> None:
        """Forget whom earlier deletions were about that came to nothing, and why they did."""
        row = AccountDeletionRow
        self._session.execute(
            update(row)
            .where(row.person_id == person_id, row.state == DeletionState.REFUSED)
            .values(person_id=None, reasons=[])
        )

    def page(
        self,
        *,
        limit: int,
        after: tuple[bool, datetime, UUID] | None,
        states: Collection[DeletionState] | None,
    ) -> list[Deletion]:
        """Return deletions, those first that somebody should look at, then the newest first."""
        row = AccountDeletionRow
        attention = needs_attention()
        query = (
            select(row, attention)
            .order_by(attention.desc(), row.requested_at.desc(), row.saga_id.desc())
            .limit(limit)
        )
        if states is not None:
            query = query.where(row.state.in_(states))
        if after is not None:
            query = query.where(tuple_(attention, row.requested_at, row.saga_id) < after)
        found = self._session.execute(query).all()
        deletions = self._with_steps([deletion for deletion, _stuck in found])
        return [
            replace(deletion, stuck=stuck)
            for deletion, (_row, stuck) in zip(deletions, found, strict=True)
        ]

    def how_many(self) -> tuple[dict[DeletionState, int], int]:
        """Return how many deletions are not over, by state, and how many somebody should see to."""
        row = AccountDeletionRow
        by_state = self._session.execute(
            select(row.state, func.count()).where(row.state.in_(OPEN)).group_by(row.state)
        )
        stuck = self._session.scalar(select(func.count()).select_from(row).where(needs_attention()))
        return dict(by_state.tuples().all()), stuck or 0

    def age_of_oldest(self) -> timedelta:
        """Return since when a deletion is wanted that is not over; 0 if there is none."""
        row = AccountDeletionRow
        since = func.now() - func.min(row.requested_at)
        age = self._session.scalar(select(type_coerce(since, Interval)).where(row.state.in_(OPEN)))
        return age or timedelta()

    def _touch(self, saga_id: UUID) -> None:
        row = AccountDeletionRow
        self._session.execute(
            update(row).where(row.saga_id == saga_id).values(moved_at=func.clock_timestamp())
        )

    def _one(self, condition: ColumnElement[bool]) -> Deletion | None:
        return next(iter(self._all(condition)), None)

    def _all(self, *conditions: ColumnElement[bool]) -> list[Deletion]:
        return self._with_steps(
            self._session.scalars(select(AccountDeletionRow).where(*conditions)).all()
        )

    def _with_steps(self, rows: Sequence[AccountDeletionRow]) -> list[Deletion]:
        step = AccountDeletionStepRow
        found = self._session.scalars(
            select(step)
            .where(step.saga_id.in_([row.saga_id for row in rows]))
            .order_by(step.started_at)
            .execution_options(populate_existing=True)
        )
        steps: dict[UUID, list[DeletionStep]] = defaultdict(list)
        for each in found:
            steps[each.saga_id].append(
                DeletionStep(
                    each.name,
                    each.started_at,
                    each.done_at,
                    each.failures,
                    each.problem,
                    each.counts,
                )
            )
        return [_deletion(row, tuple(steps[row.saga_id])) for row in rows]


def needs_attention() -> ColumnElement[bool]:
    """Return whether the `AccountDeletionRow` of the statement is stuck, as a column."""
    row, step = AccountDeletionRow, AccountDeletionStepRow
    failing = exists().where(
        step.saga_id == row.saga_id,
        step.done_at.is_(None),
        step.failures >= STUCK_AFTER_FAILURES,
    )
    idle = row.moved_at < func.clock_timestamp() - 2 * IDLE_AFTER
    return and_(row.state.in_(OPEN), or_(failing, idle))


def _deletion(row: AccountDeletionRow, steps: tuple[DeletionStep, ...]) -> Deletion:
    return Deletion(
        saga_id=row.saga_id,
        person_id=row.person_id,
        state=row.state,
        reasons=read_reasons(row.reasons),
        attempt=row.attempt,
        requested_at=row.requested_at,
        decided_at=row.decided_at,
        ended_at=row.ended_at,
        moved_at=row.moved_at,
        steps=steps,
    )

"""The steps of a deletion, each of them harmless if it is repeated."""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar
from uuid import UUID

from identity_service.clients.erasure_journal import ErasureJournal
from identity_service.domain.audit import Action
from identity_service.domain.deletions import (
    ADMINS_STAY,
    PATIENCE,
    TRY_LATER,
    DeletionState,
    Fence,
    FenceAnswer,
    Reason,
)
from identity_service.domain.people import Role
from identity_service.repositories.transaction import Begin, Transaction
from service_kit.peers import PeerUnavailable

T = TypeVar("T")

PAUSE_SECONDS = 0.2  # before a holder with much to remove is asked again


class Holder(Protocol):
    """Who holds something about people: this service itself, or another one."""

    def fence(self, saga_id: UUID, person_id: UUID) -> FenceAnswer:
        """Keep everything of the person as it is, or say why it must not go."""

    def lift_fence(self, saga_id: UUID, person_id: UUID) -> None:
        """Let everything go on as before."""

    def purge(self, saga_id: UUID, person_id: UUID) -> dict[str, int] | None:
        """Remove the person and return what that came to, None if not all is removed yet."""


class OwnHolder:
    """This service as a holder: the account itself."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    def fence(self, saga_id: UUID, person_id: UUID) -> FenceAnswer:
        """Close the account: nobody signs in, and whoever is signed in is not any more."""
        with self._begin() as tx:
            role = tx.people.close(person_id, by=saga_id)
        if role is Role.ADMIN:
            return FenceAnswer(Fence.REFUSED, (ADMINS_STAY,))
        return FenceAnswer(Fence.FENCED)

    def lift_fence(self, saga_id: UUID, person_id: UUID) -> None:
        """Open the account again, sign-ins included."""
        with self._begin() as tx:
            tx.people.reopen(person_id, by=saga_id)

    def purge(self, saga_id: UUID, person_id: UUID) -> dict[str, int] | None:
        """Remove the person and whatever says whom this and earlier deletions were about."""
        with self._begin() as tx:
            counts = tx.people.erase(person_id)
            tx.deletions.forget_reasons_of(person_id)
            tx.deletions.end_step(saga_id, "purge_identity", counts)
            tx.deletions.move(saga_id, to=DeletionState.PURGED, sources=(DeletionState.PURGING,))
        return counts


def fence_holder(begin: Begin, name: str, holder: Holder, *, saga_id: UUID) -> bool:
    """Fence one holder; return whether the next one is to be asked.

    A refusal, and a holder not heard of for `PATIENCE`, are written down as the reason and end it.

    Raises:
        PeerUnavailable: not heard of yet; to be tried again.
    """
    step = f"fence_{name}"
    with begin() as tx:
        tried_for = tx.deletions.begin_fence(saga_id, step)
        person_id, _ = tx.deletions.person_of(saga_id)
    if tried_for is None or person_id is None:
        return False  # another run has decided
    try:
        answer = _noting_failures(begin, saga_id, step, lambda: holder.fence(saga_id, person_id))
    except PeerUnavailable:
        if tried_for < PATIENCE:
            raise
        answer = FenceAnswer(Fence.REFUSED, (TRY_LATER,))
    if answer.fence is Fence.FENCED:
        with begin() as tx:
            tx.deletions.end_step(saga_id, step)
        return True
    refuse(begin, saga_id=saga_id, reasons=answer.reasons or (TRY_LATER,))
    return False


def refuse(begin: Begin, *, saga_id: UUID, reasons: tuple[Reason, ...]) -> None:
    """Decide that nothing is deleted, unless it is decided already."""
    with begin() as tx:
        refused = tx.deletions.move(
            saga_id,
            to=DeletionState.WITHDRAWING,
            sources=(DeletionState.PREPARING,),
            reasons=reasons,
        )
        if refused:
            _record(tx, Action.DELETION_REFUSED, saga_id, [each.code for each in reasons])


def decide(begin: Begin, *, saga_id: UUID) -> bool:
    """Decide: with every holder fenced the account goes. Return whether it does."""
    with begin() as tx:
        decided = tx.deletions.move(
            saga_id, to=DeletionState.PURGING, sources=(DeletionState.PREPARING,)
        )
        if decided:
            _record(tx, Action.DELETION_DECIDED, saga_id, None)
        return tx.deletions.state(saga_id) not in {
            DeletionState.WITHDRAWING,
            DeletionState.REFUSED,
        }


def lift_fence_of_holder(begin: Begin, name: str, holder: Holder, *, saga_id: UUID) -> None:
    """Undo a fence, if the holder was ever asked for one.

    Raises:
        PeerUnavailable: to be tried again.
    """
    step = f"lift_{name}"
    with begin() as tx:
        asked = f"fence_{name}" in tx.deletions.begun(saga_id)
        person_id, _ = tx.deletions.person_of(saga_id)
        if not asked or person_id is None:
            return
        tx.deletions.begin_step(saga_id, step)
    _noting_failures(begin, saga_id, step, lambda: holder.lift_fence(saga_id, person_id))
    with begin() as tx:
        tx.deletions.end_step(saga_id, step)


def end_refused(begin: Begin, *, saga_id: UUID) -> None:
    """Close a deletion that came to nothing: everything is as before."""
    with begin() as tx:
        tx.deletions.move(saga_id, to=DeletionState.REFUSED, sources=(DeletionState.WITHDRAWING,))


def write_down(begin: Begin, journal: ErasureJournal, *, saga_id: UUID) -> None:
    """Write the decision into the journal that no restore of the database takes back.

    Raises:
        OSError: the journal cannot be written to; to be tried again.
    """
    with begin() as tx:
        tx.deletions.begin_step(saga_id, "journal")
        _, person_hash = tx.deletions.person_of(saga_id)
    _noting_failures(begin, saga_id, "journal", lambda: journal.add(person_hash))
    with begin() as tx:
        tx.deletions.end_step(saga_id, "journal")


def purge_holder(begin: Begin, name: str, holder: Holder, *, saga_id: UUID) -> None:
    """Have one holder remove the person.

    Raises:
        PeerUnavailable: to be tried again.
    """
    step = f"purge_{name}"
    with begin() as tx:
        tx.deletions.begin_step(saga_id, step)
        person_id, _ = tx.deletions.person_of(saga_id)
    if person_id is None:
        return  # another run got here first
    while True:
        counts = _noting_failures(begin, saga_id, step, lambda: holder.purge(saga_id, person_id))
        if counts is not None:
            break
        time.sleep(PAUSE_SECONDS)  # a part is removed; there is more
        with begin() as tx:
            tx.deletions.begin_step(saga_id, step)
    with begin() as tx:
        tx.deletions.end_step(saga_id, step, counts)


def _record(tx: Transaction, action: Action, saga_id: UUID, reasons: list[str] | None) -> None:
    person_id, _ = tx.deletions.person_of(saga_id)
    known = person_id if person_id and tx.people.exists(person_id) else None
    after: dict[str, object] = {"deletion": str(saga_id)}
    if reasons:
        after["reasons"] = reasons
    tx.audit.record(action, actor_id=known, subject_id=known, after=after)


def _noting_failures(begin: Begin, saga_id: UUID, step: str, action: Callable[[], T]) -> T:
    try:
        return action()
    except (PeerUnavailable, OSError) as error:
        with begin() as tx:
            tx.deletions.note_failure(saga_id, step, str(error)[:200])
        raise

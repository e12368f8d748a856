"""The deletion of an account at all its holders, or at none (docs/rules.md#deletion)."""

from collections.abc import Mapping
from uuid import UUID

from identity_service.clients.erasure_journal import ErasureJournal
from identity_service.domain.deletions import FENCING, OWN, PURGING
from identity_service.repositories.transaction import Begin
from identity_service.usecases.delete_account import (
    Holder,
    decide,
    end_refused,
    fence_holder,
    lift_fence_of_holder,
    purge_holder,
    write_down,
)
from identity_service.usecases.tell_deleted import tell_deleted
from service_kit.durable import step
from service_kit.mail import Post


class DeletionWorkflows:
    """Carries deletions out. The work is named by the deletion's random id, never by the person.

    Several runs of one deletion may go on at once, as when a release replaces the workers in the
    middle: the row of the deletion decides, once, and every step may be repeated.
    """

    def __init__(
        self, begin: Begin, holders: Mapping[str, Holder], journal: ErasureJournal, post: Post
    ) -> None:
        self._begin = begin
        self._holders = holders
        self._journal = journal
        self._post = post

    def delete_account(self, saga_id: str) -> None:
        """Fence the person at every holder, decide, then remove the person from every holder."""
        saga = UUID(saga_id)
        for name in FENCING:
            if not step(f"fence_{name}", self._fence, saga, name):
                break
        if not step("decide", self._decide, saga):
            for name in reversed(FENCING):
                step(f"lift_{name}", self._lift, saga, name)
            step("end_refused", self._end_refused, saga)
            return
        step("journal", self._write_down, saga)  # past the pivot: from here only forward
        for name in PURGING:
            step(f"purge_{name}", self._purge, saga, name)

    def _fence(self, saga_id: UUID, name: str) -> bool:
        return fence_holder(self._begin, name, self._holders[name], saga_id=saga_id)

    def _decide(self, saga_id: UUID) -> bool:
        return decide(self._begin, saga_id=saga_id)

    def _lift(self, saga_id: UUID, name: str) -> None:
        lift_fence_of_holder(self._begin, name, self._holders[name], saga_id=saga_id)

    def _end_refused(self, saga_id: UUID) -> None:
        end_refused(self._begin, saga_id=saga_id)

    def _write_down(self, saga_id: UUID) -> None:
        write_down(self._begin, self._journal, saga_id=saga_id)

    def _purge(self, saga_id: UUID, name: str) -> None:
        if name == OWN:
            tell_deleted(self._begin, self._post, saga_id=saga_id)
        purge_holder(self._begin, name, self._holders[name], saga_id=saga_id)

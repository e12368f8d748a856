"""Durable work that a transaction leaves to the worker."""

from uuid import UUID

from sqlalchemy.orm import Session

from identity_service.domain.standing import RECEIVERS
from service_kit.durable import WorkQueue

SEND_STANDING = "send_standing"
DELETE_ACCOUNT = "delete_account"
TELL_CREATOR = "tell_creator"
MAIL = "mail"  # a queue of its own: nothing else waits for a mail server
DELETIONS = "deletions"  # a queue of its own: no deletion waits for a standing


def deletion_work_id(saga_id: UUID, attempt: int) -> str:
    """Return the id of one run of a deletion: random, never the person's."""
    return f"deletion:{saga_id}:{attempt}"


class Work:
    """What is to be done if, and only if, the open transaction commits."""

    def __init__(self, session: Session, queue: WorkQueue) -> None:
        self._session = session
        self._queue = queue

    def send_standing(self, standing_id: UUID, *, version: int) -> None:
        """Tell every receiver a standing, at the latest by this version.

        Each receiver has a queue of its own, so that one that is down holds up no other. The work
        names the standing and not the person: who is deleted is not found there.
        """
        for receiver in RECEIVERS:
            self._queue.put(
                self._session,
                SEND_STANDING,
                receiver,
                str(standing_id),
                work_id=f"standing:{standing_id}:{version}:{receiver}",
                queue=receiver,
            )

    def delete_account(self, saga_id: UUID, *, attempt: int = 1) -> None:
        """Do a deletion; the work names the deletion, never the person."""
        self._queue.put(
            self._session,
            DELETE_ACCOUNT,
            str(saga_id),
            work_id=deletion_work_id(saga_id, attempt),
            queue=DELETIONS,
        )

    def tell_creator(self, approval_id: UUID) -> None:
        """Tell a creator of a decision; the work names the decision, never the person."""
        self._queue.put(
            self._session,
            TELL_CREATOR,
            str(approval_id),
            work_id=f"decision:{approval_id}",
            queue=MAIL,
        )

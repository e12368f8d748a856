"""Durable work that a transaction leaves to the worker."""

from uuid import UUID

from sqlalchemy.orm import Session

from service_kit.durable import WorkQueue

DECIDE_CHANGE = "decide_change"
MIRROR_OFFER = "mirror_offer"


class Work:
    """What is to be done if, and only if, the open transaction commits."""

    def __init__(self, session: Session, queue: WorkQueue) -> None:
        self._session = session
        self._queue = queue

    def decide_change(self, change_id: UUID) -> None:
        """Have booking decide a change, then apply or drop it."""
        self._queue.put(self._session, DECIDE_CHANGE, str(change_id), work_id=f"change:{change_id}")

    def mirror_offer(self, show_id: UUID, *, version: int) -> None:
        """Tell booking what a show is like now, at the latest by this version."""
        self._queue.put(
            self._session, MIRROR_OFFER, str(show_id), work_id=f"mirror:{show_id}:{version}"
        )

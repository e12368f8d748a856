"""Durable work that a transaction leaves to the worker."""

from uuid import UUID

from sqlalchemy.orm import Session

from service_kit.durable import WorkQueue

CANCEL_BOOKINGS = "cancel_bookings_of_show"


class Work:
    """What is to be done if, and only if, the open transaction commits."""

    def __init__(self, session: Session, queue: WorkQueue) -> None:
        self._session = session
        self._queue = queue

    def cancel_bookings(self, show_id: UUID) -> None:
        """Cancel every booking of a cancelled show."""
        self._queue.put(
            self._session, CANCEL_BOOKINGS, str(show_id), work_id=f"cancel-show:{show_id}"
        )

"""Durable work that a transaction leaves to the worker."""

from uuid import UUID

from sqlalchemy.orm import Session

from service_kit.durable import WorkQueue

CANCEL_BOOKINGS = "cancel_bookings_of_show"
HANDLE_NEWS = "handle_payment_news"
SEND_REFUND = "send_refund"
SEND_NOTICES = "send_notices"
MAIL = "mail"  # a queue of its own: no refund waits for a mail


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

    def handle_news(self, news_id: UUID) -> None:
        """Settle what an entry of the inbox is about."""
        self._queue.put(self._session, HANDLE_NEWS, str(news_id), work_id=f"news:{news_id}")

    def send_refund(self, refund_id: UUID, *, attempt: int) -> None:
        """Have the provider send money back."""
        self._queue.put(
            self._session, SEND_REFUND, str(refund_id), work_id=f"refund:{refund_id}:{attempt}"
        )

    def send_notices(self, batch_id: UUID) -> None:
        """Tell the buyers that a batch of notices is for; the work names the batch only."""
        self._queue.put(
            self._session, SEND_NOTICES, str(batch_id), work_id=f"notices:{batch_id}", queue=MAIL
        )

"""Durable work on payments: what was heard of is settled, whatever is killed in between."""

from uuid import UUID

import structlog

from booking_service.usecases.desk import Desk
from booking_service.usecases.hear_of_payments import handle_news
from booking_service.usecases.settle_refunds import send_refund
from service_kit.durable import step
from service_kit.peers import PeerUnavailable

log = structlog.get_logger(__name__)


class PaymentWorkflows:
    """Each step may run again: it asks the provider what is true and writes down what is new.

    While the provider cannot be asked, news stay in the inbox and refunds stay due. A timer takes
    them up (`usecases/catch_up.py`): as work they would keep other work from being done.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def handle_news(self, news_id: str) -> None:
        """Settle what an entry of the inbox is about."""
        step("handle_news", self._handle_news, news_id)

    def send_refund(self, refund_id: str) -> None:
        """Have the provider send money back."""
        step("send_refund", self._send_refund, refund_id)

    def _handle_news(self, news_id: str) -> None:
        try:
            handle_news(self._desk, news_id=UUID(news_id))
        except PeerUnavailable as error:
            log.warning("news about payments wait", news=news_id, reason=str(error))

    def _send_refund(self, refund_id: str) -> None:
        try:
            send_refund(self._desk, refund_id=UUID(refund_id))
        except PeerUnavailable as error:
            log.warning("refund waits", refund=refund_id, reason=str(error))

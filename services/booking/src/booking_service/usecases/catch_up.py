"""Taking up what could not be done while the payment provider could not be asked."""

from datetime import timedelta

from booking_service.domain.refunds import RefundStatus
from booking_service.repositories.refunds import OwedRefund
from booking_service.usecases.desk import Desk
from booking_service.usecases.hear_of_payments import handle_news
from booking_service.usecases.one_by_one import one_by_one
from booking_service.usecases.settle_refunds import send_refund
from service_kit.peers import PeerUnavailable

WAITING_FOR = timedelta(seconds=15)  # longer than the first try takes
AT_ONCE = 100


def catch_up(desk: Desk, *, after: timedelta = WAITING_FOR) -> int:
    """Handle news and send refunds that have waited for so long; return how many.

    Raises:
        PeerUnavailable: the provider still cannot be asked about one or more of them.
    """
    with desk.begin() as tx:
        news = tx.payment_news.waiting(after, limit=AT_ONCE)
        refunds = tx.refunds.open_for(after, status=RefundStatus.DUE, limit=AT_ONCE)
    try:
        handled = one_by_one(news, lambda news_id: handle_news(desk, news_id=news_id))
    finally:
        sent = one_by_one(refunds, lambda refund: _send(desk, refund))
    return handled + sent


def _send(desk: Desk, refund: OwedRefund) -> None:
    try:
        send_refund(desk, refund_id=refund.id)
    except PeerUnavailable:
        with desk.begin() as tx:
            tx.refunds.put_off(refund)
        raise

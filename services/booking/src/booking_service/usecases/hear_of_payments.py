"""Taking in what is said about payments: stored first, then settled with the provider."""

import hashlib
import json
from typing import Any
from uuid import UUID

import structlog

from booking_service.clients.payments import ProviderRefused
from booking_service.domain.errors import (
    BookingNotFound,
    NothingToPay,
    PaymentNotVerified,
    WebhookNotVerified,
)
from booking_service.repositories.payments import News
from booking_service.usecases.desk import Desk
from booking_service.usecases.settle_order import settle_order
from booking_service.usecases.settle_refunds import settle_refunds
from service_kit.peers import PeerUnavailable

log = structlog.get_logger(__name__)

CHECKOUT = "checkout"


def take_webhook(desk: Desk, *, body: bytes, signature: str) -> None:
    """Put a webhook into the inbox and have it handled; the same one again changes nothing.

    Raises:
        WebhookNotVerified: the provider did not sign these bytes; they were not even read.
    """
    if not desk.provider.is_from_provider(body, signature=signature):
        raise WebhookNotVerified("The signature of this webhook is wrong.")
    _store(desk, _news(body), hashlib.sha256(body).hexdigest())


def take_checkout(
    desk: Desk, *, buyer_id: UUID, booking_id: UUID, payment_id: str, signature: str
) -> None:
    """Take the word of the checkout that a booking was paid, and settle it if that can be done now.

    Otherwise it is settled as soon as the provider can be asked.

    Raises:
        BookingNotFound: the buyer has no such booking.
        NothingToPay: it is not paid online.
        PaymentNotVerified: the checkout did not sign this payment of this booking.
    """
    with desk.begin() as tx:
        booking = tx.bookings.one_of_buyer(buyer_id, booking_id)
        order = tx.payments.order_for(booking_id)
    if booking is None:
        raise BookingNotFound("You have no booking with this id.")
    if order is None:
        raise NothingToPay("This booking is not paid online.")
    if not desk.provider.is_from_checkout(
        order_id=order.id, payment_id=payment_id, signature=signature
    ):
        raise PaymentNotVerified("This payment could not be verified.")
    digest = hashlib.sha256(f"{CHECKOUT}:{order.id}|{payment_id}".encode()).hexdigest()
    _store(desk, News(CHECKOUT, order.id, payment_id), digest)
    try:
        settle_order(desk, order_id=order.id)
    except (PeerUnavailable, ProviderRefused) as error:
        log.warning("payment not settled yet", order=order.id, reason=str(error))


def handle_news(desk: Desk, *, news_id: UUID) -> None:
    """Settle what news are about; handled news are left alone.

    Raises:
        PeerUnavailable: the provider cannot be asked at the moment.
    """
    with desk.begin() as tx:
        news = tx.payment_news.unhandled(news_id)
    if news is None:
        return
    try:
        if news.order_id is not None:
            settle_order(desk, order_id=news.order_id)
        if news.event.startswith("refund.") and news.payment_id is not None:
            settle_refunds(desk, payment_id=news.payment_id)
    except ProviderRefused as refusal:
        log.warning("provider denies what it told of", told=news.event, reason=str(refusal))
    with desk.begin() as tx:
        tx.payment_news.handled(news_id)


def _store(desk: Desk, news: News, digest: str) -> None:
    with desk.begin() as tx:
        news_id = tx.payment_news.add(news, digest=digest)
        if news_id is not None:
            tx.work.handle_news(news_id)


def _news(body: bytes) -> News:
    """Return what a webhook is about; of what cannot be read, only that it came."""
    try:
        document = json.loads(body)
        payload = document["payload"]
        payment = payload.get("payment", {}).get("entity", {})
        refund = payload.get("refund", {}).get("entity", {})
        order_id = payment.get("order_id")
        payment_id = refund.get("payment_id") or payment.get("id")
        return News(str(document["event"])[:100], _text(order_id), _text(payment_id))
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return News("unreadable", None, None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= 100 else None

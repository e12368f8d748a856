"""Razorpay behind the port of payments, through its official SDK."""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

import razorpay
from circuitbreaker import CircuitBreaker
from razorpay.errors import BadRequestError, GatewayError, ServerError

from booking_service.clients.payments import ProviderRefused
from booking_service.domain.payments import (
    CURRENCY,
    Payment,
    PaymentOrder,
    PaymentStatus,
    ProviderRefund,
    ProviderRefundStatus,
)
from service_kit import deadline
from service_kit.http import Answer, HttpClient, NoUsableAnswer
from service_kit.peers import PeerUnavailable

T = TypeVar("T")

NAME = "razorpay"
PRODUCTION_URL = "https://api.razorpay.com"
TIMEOUT_SECONDS = 5.0
FAILURES_BEFORE_BREAK = 5
BREAK_SECONDS = 5
PAGE = 100  # the most that Razorpay shows at once

# Refusals that say nothing of what was asked: too early, too often, not us, or not now.
_TRY_AGAIN = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.TOO_MANY_REQUESTS,
}
_PAYMENT_STATUS = {
    "created": PaymentStatus.CREATED,
    "failed": PaymentStatus.FAILED,
    "authorized": PaymentStatus.AUTHORIZED,
    "captured": PaymentStatus.CAPTURED,
    "refunded": PaymentStatus.FAILED,  # the buyer has all of it back, also if nobody had captured
}
_REFUND_STATUS = {
    "pending": ProviderRefundStatus.PENDING,
    "processed": ProviderRefundStatus.PROCESSED,
    "failed": ProviderRefundStatus.FAILED,
}


@dataclass(frozen=True, slots=True)
class RazorpayKeys:
    """The merchant's secrets; the webhook has two while one is being replaced."""

    key_id: str
    key_secret: str
    webhook_secrets: tuple[str, ...]


class Razorpay:
    """One merchant at Razorpay. Thread-safe; one instance per process."""

    def __init__(self, keys: RazorpayKeys, *, base_url: str = PRODUCTION_URL) -> None:
        """Prepare the client; nothing is sent before the first call."""
        self._keys = keys
        self._sdk = razorpay.Client(
            session=_Transport(), auth=(keys.key_id, keys.key_secret), base_url=base_url
        )
        self._breaker = CircuitBreaker(
            FAILURES_BEFORE_BREAK, BREAK_SECONDS, expected_exception=NoUsableAnswer, name=NAME
        )

    def open_order(self, booking_id: UUID, *, amount_paise: int) -> PaymentOrder:
        """Open an order whose payments Razorpay captures by itself."""
        order = self._ask(
            self._sdk.order.create,
            {
                "amount": amount_paise,
                "currency": CURRENCY,
                "receipt": str(booking_id),
                "payment_capture": 1,
                "notes": {"booking_id": str(booking_id)},
            },
        )
        return self._read(
            lambda: PaymentOrder(
                id=str(order["id"]),
                booking_id=booking_id,
                amount_paise=_as_asked(order["amount"], amount_paise),
                currency=_as_asked(order["currency"], CURRENCY),
                provider=NAME,
                key_id=self._keys.key_id,
            )
        )

    def payments_of(self, order_id: str) -> Sequence[Payment]:
        """Return every attempt to pay an order."""
        found = self._ask(self._sdk.order.payments, order_id, {"count": PAGE})
        return self._read(lambda: [_payment_of(order_id, item) for item in found["items"]])

    def capture(self, payment: Payment) -> None:
        """Take the money of an authorized payment."""
        try:
            self._ask(
                self._sdk.payment.capture,
                payment.id,
                payment.amount_paise,
                {"currency": payment.currency},
            )
        except ProviderRefused:
            now = self._ask(self._sdk.payment.fetch, payment.id)
            if self._read(lambda: _payment(now)).status is not PaymentStatus.CAPTURED:
                raise

    def refund(self, payment_id: str, *, amount_paise: int, reference: str) -> ProviderRefund:
        """Send money back; Razorpay knows a repetition by the reference."""
        refund = self._ask(
            self._sdk.payment.refund,
            payment_id,
            {"amount": amount_paise, "receipt": reference, "notes": {"refund_id": reference}},
            headers={"X-Refund-Idempotency": reference},
        )
        return self._read(lambda: _refund(refund))

    def refunds_of(self, payment_id: str) -> Sequence[ProviderRefund]:
        """Return every refund of a payment."""
        found = self._ask(self._sdk.payment.fetch_multiple_refund, payment_id, {"count": PAGE})
        return self._read(lambda: [_refund(item) for item in found["items"]])

    def is_from_checkout(self, *, order_id: str, payment_id: str, signature: str) -> bool:
        """Compare in constant time with what the key's secret makes of order and payment."""
        return _signed(f"{order_id}|{payment_id}".encode(), signature, self._keys.key_secret)

    def is_from_provider(self, body: bytes, *, signature: str) -> bool:
        """Compare in constant time with what any of the webhook's secrets makes of the body."""
        return any(_signed(body, signature, secret) for secret in self._keys.webhook_secrets)

    def _ask(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        if self._breaker.opened:
            raise PeerUnavailable.of(NAME, "not called, it failed repeatedly")
        try:
            with self._breaker:
                return call(*arguments, **options)
        except BadRequestError as refusal:
            raise ProviderRefused(str(refusal)) from refusal
        except (NoUsableAnswer, GatewayError, ServerError) as error:
            raise PeerUnavailable.of(NAME, str(error)) from error

    @staticmethod
    def _read(make: Callable[[], T]) -> T:
        try:
            return make()
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise PeerUnavailable.of(NAME, "answered with something unexpected") from error


class _Reply:
    """What the SDK looks at of an answer."""

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status
        self._body = answer.body

    def json(self) -> Any:
        return self._body


class _Transport:
    """What the SDK takes for its session: every answer is bounded in time and size.

    The SDK's own would follow redirects, wait without end and print to the output.
    """

    def __init__(self) -> None:
        self._client = HttpClient()

    def get(self, url: str, **options: Any) -> _Reply:
        return self._send("GET", url, options)

    def post(self, url: str, **options: Any) -> _Reply:
        return self._send("POST", url, options)

    def _send(self, method: str, url: str, options: Mapping[str, Any]) -> _Reply:
        answer = self._client.send(
            method, url, seconds=deadline.remaining(TIMEOUT_SECONDS), **options
        )
        if answer.status in _TRY_AGAIN:
            raise NoUsableAnswer(f"answered {answer.status}")
        refused = isinstance(answer.body, dict) and isinstance(answer.body.get("error"), dict)
        if answer.ok is refused:
            raise NoUsableAnswer(f"answered {answer.status} with something unexpected")
        return _Reply(answer)


def _as_asked(answered: Any, asked: T) -> T:
    if answered != asked:
        raise ValueError("another order than was asked for")
    return asked


def _payment(item: Mapping[str, Any]) -> Payment:
    return Payment(
        id=str(item["id"]),
        order_id=str(item["order_id"]),
        amount_paise=int(item["amount"]),
        currency=str(item["currency"]),
        status=_PAYMENT_STATUS[item["status"]],
    )


def _payment_of(order_id: str, item: Mapping[str, Any]) -> Payment:
    payment = _payment(item)
    if payment.order_id != order_id:
        raise ValueError("the payment of another order")
    return payment


def _refund(item: Mapping[str, Any]) -> ProviderRefund:
    return ProviderRefund(
        id=str(item["id"]),
        payment_id=str(item["payment_id"]),
        amount_paise=int(item["amount"]),
        status=_REFUND_STATUS[item["status"]],
        reference=item["receipt"],
    )


def _signed(message: bytes, signature: str, secret: str) -> bool:
    expected = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())

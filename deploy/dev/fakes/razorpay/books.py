"""The provider's books: every order, payment and refund, and what may become of each."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fakes.razorpay.entities import CURRENCY, Order, Payment, Refund, new_id
from fakes.razorpay.faults import Faults, RefundFault

MIN_PAISE = 100
MAX_RECEIPT = 40
MIN_IDEMPOTENCY_KEY = 10
UNKNOWN_ID = "The id provided does not exist"

T = TypeVar("T")
Announce = Callable[[str, Mapping[str, dict[str, Any]]], None]


class Refused(Exception):
    """The API's error: what the merchant asked for cannot be done."""

    def __init__(self, description: str, field: str | None = None) -> None:
        super().__init__(description)
        self.description = description
        self.field = field


class Books:
    """Everything in memory, behind one lock. What happens is announced in the order it happened."""

    def __init__(self, faults: Faults, announce: Announce) -> None:
        self._faults = faults
        self._announce = announce
        self._lock = threading.RLock()
        self._orders: dict[str, Order] = {}
        self._payments: dict[str, Payment] = {}
        self._refunds: dict[str, Refund] = {}
        self._refunds_by_key: dict[str, tuple[dict[str, Any], Refund]] = {}

    # What the merchant asks for

    def create_order(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Open an order."""
        amount = _amount(wish.get("amount"), "order")
        if wish.get("currency") != CURRENCY:
            raise Refused("Currency is not supported", "currency")
        receipt = wish.get("receipt")
        if receipt is not None and not (isinstance(receipt, str) and len(receipt) <= MAX_RECEIPT):
            raise Refused("The receipt may not be greater than 40 characters.", "receipt")
        order = Order(
            new_id("order"),
            amount,
            _notes(wish),
            receipt=receipt,
            captures_itself=wish.get("payment_capture") in (1, "1", True),
        )
        with self._lock:
            self._orders[order.id] = order
            return order.shown()

    def order(self, order_id: str) -> dict[str, Any]:
        """Return an order."""
        with self._lock:
            return self._order(order_id).shown()

    def orders(self, receipt: str | None) -> list[dict[str, Any]]:
        """Return the orders with this receipt, or all, newest first."""
        with self._lock:
            found = [o for o in self._orders.values() if receipt in (None, o.receipt)]
            return [order.shown() for order in reversed(found)]

    def payments_of(self, order_id: str) -> list[dict[str, Any]]:
        """Return the attempts to pay an order, newest first."""
        with self._lock:
            order = self._order(order_id)
            found = [p.shown() for p in self._payments.values() if p.order_id == order.id]
            return found[::-1]

    def payment(self, payment_id: str) -> dict[str, Any]:
        """Return a payment."""
        with self._lock:
            return self._payment(payment_id).shown()

    def capture(self, payment_id: str, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Take the money of an authorized payment."""
        with self._lock:
            payment = self._payment(payment_id)
            if payment.captured:
                raise Refused("This payment has already been captured")
            if payment.status != "authorized":
                raise Refused("Only payments which have been authorized can be captured")
            if wish.get("amount") != payment.amount or wish.get("currency") != payment.currency:
                raise Refused("Capture amount must be equal to the amount authorized", "amount")
            self._capture(payment)
            return payment.shown()

    def refund(self, payment_id: str, wish: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        """Send money back; with a key that was used before, return that refund as it is now."""
        with self._lock:
            payment = self._payment(payment_id)
            if key is not None and len(key) < MIN_IDEMPOTENCY_KEY:
                raise Refused("The idempotency key must be at least 10 characters long.")
            asked = {"payment_id": payment_id, **wish}
            if key in self._refunds_by_key:
                first, refund = self._refunds_by_key[key]
                if first != asked:
                    raise Refused("Different request body sent for the same idempotency key.")
                return refund.shown()
            refund = self._make_refund(payment, wish)
            if key is not None:
                self._refunds_by_key[key] = (asked, refund)
            return refund.shown()

    def refunds_of(self, payment_id: str) -> list[dict[str, Any]]:
        """Return the refunds of a payment, newest first."""
        with self._lock:
            payment = self._payment(payment_id)
            found = [r.shown() for r in self._refunds.values() if r.payment_id == payment.id]
            return found[::-1]

    def one_refund(self, refund_id: str) -> dict[str, Any]:
        """Return a refund."""
        with self._lock:
            return self._refund(refund_id).shown()

    # What the buyer and the banks do

    def pay(self, order_id: str, outcome: str, amount: int | None) -> dict[str, Any]:
        """Pay as at the checkout.

        Args:
            order_id: the order.
            outcome: how far the payment gets: created (the bank says nothing yet), authorized,
                captured or failed.
            amount: what is paid, if it is not what the order asks for.
        """
        with self._lock:
            order = self._order(order_id)
            if order.status == "paid":
                raise Refused("Order already paid")
            payment = Payment(
                new_id("pay"), order.amount if amount is None else amount, order.notes,
                order_id=order.id,
            )  # fmt: skip
            self._payments[payment.id] = payment
            order.attempts += 1
            order.status = "attempted"
            if outcome == "failed":
                self._fail(payment)
            elif outcome != "created":
                self._authorize(payment, and_capture=outcome == "captured")
            return payment.shown()

    def authorize(self, payment_id: str) -> dict[str, Any]:
        """Have the bank authorize a payment late; it is captured if its order says so."""
        with self._lock:
            payment = self._payment(payment_id)
            if payment.status not in ("created", "failed"):
                raise Refused("Only a payment that is not authorized can be authorized")
            order = self._order(payment.order_id)
            self._authorize(payment, and_capture=order.captures_itself)
            return payment.shown()

    def settle(self, refund_id: str, status: str) -> dict[str, Any]:
        """Have the bank finish a pending refund: processed or failed."""
        with self._lock:
            refund = self._refund(refund_id)
            if refund.status != "pending":
                raise Refused("Only a pending refund can be settled")
            self._settle(refund, status)
            return refund.shown()

    # What follows from it, always under the lock

    def _authorize(self, payment: Payment, *, and_capture: bool) -> None:
        payment.status = "authorized"
        payment.error_code = payment.error_description = payment.error_reason = None
        self._announce("payment.authorized", {"payment": payment.shown()})
        if and_capture:
            self._capture(payment)

    def _capture(self, payment: Payment) -> None:
        order = self._order(payment.order_id)
        payment.status, payment.captured = "captured", True
        payment.fee, payment.tax = payment.amount // 50, 0
        order.status, order.amount_paid = "paid", order.amount_paid + payment.amount
        self._announce("payment.captured", {"payment": payment.shown()})
        self._announce("order.paid", {"payment": payment.shown(), "order": order.shown()})

    def _fail(self, payment: Payment) -> None:
        payment.status = "failed"
        payment.error_code = "BAD_REQUEST_ERROR"
        payment.error_description = "Your payment was declined by the bank."
        payment.error_reason = "payment_failed"
        self._announce("payment.failed", {"payment": payment.shown()})

    def _make_refund(self, payment: Payment, wish: Mapping[str, Any]) -> Refund:
        if not payment.captured:
            raise Refused("The payment status should be captured for action to be taken")
        left = payment.amount - payment.amount_refunded
        if not left:
            raise Refused("The payment has been fully refunded already")
        amount = _amount(wish.get("amount", left), "refund")
        if amount > left:
            raise Refused("The refund amount provided is greater than amount captured", "amount")
        if self._faults.refunds is RefundFault.REFUSED:
            raise Refused("Your account does not have enough balance to carry out the refund.")
        refund = Refund(
            new_id("rfnd"), amount, _notes(wish), payment_id=payment.id, receipt=wish.get("receipt")
        )
        self._refunds[refund.id] = refund
        self._move_back(payment, amount)
        self._announce("refund.created", self._shown_with_payment(refund))
        if self._faults.refunds is RefundFault.NONE:
            self._settle(refund, "processed")
        elif self._faults.refunds is RefundFault.FAILED:
            self._settle(refund, "failed")
        return refund

    def _settle(self, refund: Refund, status: str) -> None:
        refund.status = status
        if status == "failed":
            self._move_back(self._payment(refund.payment_id), -refund.amount)
        self._announce(f"refund.{status}", self._shown_with_payment(refund))

    def _move_back(self, payment: Payment, amount: int) -> None:
        payment.amount_refunded += amount
        full = payment.amount_refunded == payment.amount
        payment.status = "refunded" if full else "captured"
        payment.refund_status = "full" if full else "partial" if payment.amount_refunded else None

    def _shown_with_payment(self, refund: Refund) -> dict[str, dict[str, Any]]:
        return {"refund": refund.shown(), "payment": self._payment(refund.payment_id).shown()}

    def _order(self, order_id: str) -> Order:
        return _known(self._orders, order_id)

    def _payment(self, payment_id: str) -> Payment:
        return _known(self._payments, payment_id)

    def _refund(self, refund_id: str) -> Refund:
        return _known(self._refunds, refund_id)


def _known(entities: Mapping[str, T], identifier: str) -> T:
    if identifier not in entities:
        raise Refused(UNKNOWN_ID)
    return entities[identifier]


def _amount(value: Any, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused("The amount must be an integer.", "amount")
    if value < MIN_PAISE:
        raise Refused(f"The {what} amount must be at least INR 1.00", "amount")
    return value


def _notes(wish: Mapping[str, Any]) -> dict[str, str]:
    notes = wish.get("notes") or {}
    if not isinstance(notes, dict) or len(notes) > 15:
        raise Refused("The notes may have at most 15 keys.", "notes")
    return notes

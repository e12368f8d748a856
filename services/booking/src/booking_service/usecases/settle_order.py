"""Giving a booking what its payments are worth, as the provider reports them now."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import structlog
from prometheus_client import Counter

from booking_service.clients.payments import ProviderRefused
from booking_service.domain.limits import BookingLimits
from booking_service.domain.payments import (
    Payment,
    PaymentOrder,
    PaymentStatus,
    Verdict,
    all_failed,
)
from booking_service.domain.refunds import Money, RefundReason
from booking_service.repositories.transaction import Transaction
from booking_service.usecases.confirm_booking import Captured, confirm_booking
from booking_service.usecases.desk import Desk
from booking_service.usecases.fail_booking import fail_booking
from booking_service.usecases.one_by_one import one_by_one

log = structlog.get_logger(__name__)

CAPTURES = Counter(
    "payments_captured_total", "Captured payments, by what they led to.", ["verdict"]
)
UNKNOWN_ORDERS = Counter(
    "payments_of_unknown_orders_total", "News about orders at the provider that are not ours."
)

_VERDICTS = {
    Captured.CONFIRMED: Verdict.CONFIRMED,
    Captured.ALREADY_CONFIRMED: Verdict.PAID_ALREADY,
    Captured.TO_REFUND: Verdict.TOO_LATE,
}

CHECKED_FOR = timedelta(days=6)  # banks take five days to give up on a payment
WATCHED_FOR = timedelta(days=1)  # in which a capture nobody told of is found in 15 minutes
WATCHED_EVERY = timedelta(minutes=13)  # and the time between two runs, and what these take
DUE_AT_ONCE = 100
PAGES = 20  # in one run


def settle_order(desk: Desk, *, order_id: str) -> None:
    """Have an order's payments take effect: each capture once, in whatever order one hears of them.

    Raises:
        PeerUnavailable: the provider cannot be asked at the moment.
    """
    with desk.begin() as tx:
        order = tx.payments.order(order_id)
    if order is None:
        UNKNOWN_ORDERS.inc()
        log.error("payment of an order that is not ours", order=order_id)
        return
    payments = desk.provider.payments_of(order.id)
    if _capture_what_is_wanted(desk, order, payments):
        payments = desk.provider.payments_of(order.id)
    limits = desk.rules.current().limits
    with desk.begin() as tx:
        verdicts = _apply(tx, order, payments, limits)
    _report(order, verdicts)


def settle_due(desk: Desk) -> int:
    """Ask about orders that nothing was heard of for too long; return how many.

    Raises:
        PeerUnavailable: the provider could not be asked about one or more of them.
    """
    return one_by_one(_due(desk), lambda order_id: _ask_about(desk, order_id))


def _due(desk: Desk) -> Iterator[str]:
    for _ in range(PAGES):
        with desk.begin() as tx:
            due = tx.payments.due(limit=DUE_AT_ONCE)
        yield from due
        if len(due) < DUE_AT_ONCE:
            return


def _ask_about(desk: Desk, order_id: str) -> None:
    try:
        settle_order(desk, order_id=order_id)
    except ProviderRefused as refusal:
        log.warning("provider denies an order", order=order_id, reason=str(refusal))
    finally:
        with desk.begin() as tx:
            tx.payments.check_later(
                order_id,
                at_least=desk.patience,
                at_most=WATCHED_EVERY,
                at_most_for=WATCHED_FOR,
                until=CHECKED_FOR,
            )


def _capture_what_is_wanted(desk: Desk, order: PaymentOrder, payments: Sequence[Payment]) -> bool:
    """Take authorized money if its booking still waits for it; else the bank gives it back."""
    authorized = [
        each for each in payments if each.status is PaymentStatus.AUTHORIZED and each.fits(order)
    ]
    if not authorized or any(each.status is PaymentStatus.CAPTURED for each in payments):
        return False
    with desk.begin() as tx:
        if not tx.payments.is_awaited(order):
            return False
    try:
        desk.provider.capture(authorized[0])
    except ProviderRefused as refusal:
        log.warning("capture refused", payment=authorized[0].id, reason=str(refusal))
    return True


def _apply(
    tx: Transaction, order: PaymentOrder, payments: Sequence[Payment], limits: BookingLimits
) -> list[Verdict]:
    """Write down what is new about the payments of an order, and what that leads to."""
    tx.reservations.take_in_hand(order.booking_id)  # its show before any other row
    verdicts = []
    for payment in payments:
        if payment.status is not PaymentStatus.CAPTURED:
            tx.payments.note(payment)
        elif not tx.payments.is_captured(payment):
            verdicts.append(_take(tx, order, payment, limits))
    if all_failed(payments):
        fail_booking(tx, booking_id=order.booking_id)
    return verdicts


def _take(tx: Transaction, order: PaymentOrder, payment: Payment, limits: BookingLimits) -> Verdict:
    verdict = Verdict.WRONG_AMOUNT
    if payment.fits(order):
        verdict = _VERDICTS[confirm_booking(tx, limits, booking_id=order.booking_id)]
    tx.payments.capture(payment, verdict)
    if verdict is Verdict.CONFIRMED:
        tx.payments.paid(order.id, check_after=WATCHED_FOR)
    else:
        captured = Money(payment.amount_paise, 0)
        tx.refunds.owe(order.booking_id, captured, RefundReason.LATE_CAPTURE, payment_id=payment.id)
    return verdict


def _report(order: PaymentOrder, verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        CAPTURES.labels(verdict.value).inc()
        if verdict is Verdict.WRONG_AMOUNT:
            log.error("captured another amount than was ordered", order=order.id)

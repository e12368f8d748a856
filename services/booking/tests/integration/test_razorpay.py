"""The adapter against the provider for development, which answers as Razorpay does."""

import hashlib
import hmac
import socket
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from booking_service.clients.payments import NoProvider, ProviderRefused
from booking_service.clients.razorpay import FAILURES_BEFORE_BREAK, Razorpay, RazorpayKeys
from booking_service.domain.payments import (
    Payment,
    PaymentOrder,
    PaymentStatus,
    ProviderRefundStatus,
)
from fakes.razorpay.settings import Settings
from fakes.razorpay.testing import Simulator, any_merchant, running_simulator
from service_kit.peers import PeerUnavailable

MERCHANT = any_merchant()


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with running_simulator(MERCHANT) as simulator:
        yield simulator


@pytest.fixture
def simulator(running: Simulator) -> Iterator[Simulator]:
    running.fail(webhooks="drop")
    yield running
    running.fail(webhooks="drop")


def keys_of(merchant: Settings) -> RazorpayKeys:
    return RazorpayKeys(merchant.key_id, merchant.key_secret, (merchant.webhook_secret,))


@pytest.fixture
def razorpay(simulator: Simulator) -> Razorpay:
    return Razorpay(keys_of(MERCHANT), base_url=simulator.url)


def opened(razorpay: Razorpay, amount_paise: int = 108_782) -> PaymentOrder:
    return razorpay.open_order(uuid4(), amount_paise=amount_paise)


def only_payment(razorpay: Razorpay, order: PaymentOrder) -> Payment:
    (payment,) = razorpay.payments_of(order.id)
    return payment


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("created", PaymentStatus.CREATED),
        ("failed", PaymentStatus.FAILED),
        ("authorized", PaymentStatus.AUTHORIZED),
        ("captured", PaymentStatus.CAPTURED),
    ],
)
def test_an_order_tells_how_far_its_payments_got(
    razorpay: Razorpay, simulator: Simulator, outcome: str, status: PaymentStatus
) -> None:
    order = opened(razorpay)
    assert razorpay.payments_of(order.id) == []

    simulator.pay(order.id, outcome=outcome)

    payment = only_payment(razorpay, order)
    assert payment.status is status
    assert payment.fits(order)


def test_a_payment_of_another_amount_does_not_fit(razorpay: Razorpay, simulator: Simulator) -> None:
    order = opened(razorpay)
    simulator.pay(order.id, amount=100)

    assert not only_payment(razorpay, order).fits(order)


def test_an_authorized_payment_is_captured_once(razorpay: Razorpay, simulator: Simulator) -> None:
    order = opened(razorpay)
    simulator.pay(order.id, outcome="authorized")
    payment = only_payment(razorpay, order)

    razorpay.capture(payment)
    razorpay.capture(payment)

    assert only_payment(razorpay, order).status is PaymentStatus.CAPTURED


def test_a_failed_payment_cannot_be_captured(razorpay: Razorpay, simulator: Simulator) -> None:
    order = opened(razorpay)
    simulator.pay(order.id, outcome="failed")

    with pytest.raises(ProviderRefused, match="authorized"):
        razorpay.capture(only_payment(razorpay, order))


def test_a_refund_is_known_by_its_reference(razorpay: Razorpay, simulator: Simulator) -> None:
    order = opened(razorpay, 10_000)
    payment_id = simulator.pay(order.id)["razorpay_payment_id"]
    first, second = str(uuid4()), str(uuid4())

    made = razorpay.refund(payment_id, amount_paise=4_000, reference=first)
    again = razorpay.refund(payment_id, amount_paise=4_000, reference=first)
    assert only_payment(razorpay, order).status is PaymentStatus.CAPTURED
    razorpay.refund(payment_id, amount_paise=6_000, reference=second)

    assert (again, made.status) == (made, ProviderRefundStatus.PROCESSED)
    assert [each.reference for each in razorpay.refunds_of(payment_id)] == [second, first]
    assert only_payment(razorpay, order).status is PaymentStatus.FAILED  # nothing left to take
    with pytest.raises(ProviderRefused, match="fully refunded"):
        razorpay.refund(payment_id, amount_paise=100, reference=str(uuid4()))


@pytest.mark.parametrize("fault", ["error", "lost_reply", "garbage", "wrong_amount"])
def test_an_answer_that_is_none_to_what_was_asked_is_named(
    razorpay: Razorpay, simulator: Simulator, fault: str
) -> None:
    simulator.fail(api=fault)

    with pytest.raises(PeerUnavailable, match="razorpay"):
        opened(razorpay)


def test_a_provider_that_is_away_or_keeps_failing_is_named_and_left_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = Razorpay(keys_of(MERCHANT), base_url=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        for _ in range(FAILURES_BEFORE_BREAK):
            with pytest.raises(PeerUnavailable, match="ConnectionError"):
                opened(away)
        with pytest.raises(PeerUnavailable, match="not called"):
            opened(away)
    assert capsys.readouterr().out == ""  # the SDK alone would print


def test_wrong_keys_are_no_refusal_of_what_was_asked(simulator: Simulator) -> None:
    stranger = Razorpay(replace(keys_of(MERCHANT), key_secret="another"), base_url=simulator.url)

    with pytest.raises(PeerUnavailable, match="401"):
        opened(stranger)


def test_what_is_unknown_is_refused(razorpay: Razorpay) -> None:
    with pytest.raises(ProviderRefused, match="does not exist"):
        razorpay.payments_of("order_unknown")
    with pytest.raises(ProviderRefused, match="does not exist"):
        razorpay.refunds_of("pay_unknown")


def test_the_checkout_signs_order_and_payment(razorpay: Razorpay, simulator: Simulator) -> None:
    order = opened(razorpay)
    told = simulator.pay(order.id)
    payment_id, signature = told["razorpay_payment_id"], told["razorpay_signature"]

    def signed(**changes: str) -> bool:
        shown = {"order_id": order.id, "payment_id": payment_id, "signature": signature}
        return razorpay.is_from_checkout(**{**shown, **changes})

    assert signed()
    assert not signed(order_id="order_another")
    assert not signed(payment_id="pay_another")
    assert not signed(signature="é" + signature[1:])


def test_webhooks_are_accepted_with_either_secret_while_one_is_replaced() -> None:
    def signature_with(secret: str) -> str:
        return hmac.new(secret.encode(), b"{}", hashlib.sha256).hexdigest()

    razorpay = Razorpay(replace(keys_of(MERCHANT), webhook_secrets=("new", "old")))

    assert razorpay.is_from_provider(b"{}", signature=signature_with("new"))
    assert razorpay.is_from_provider(b"{}", signature=signature_with("old"))
    assert not razorpay.is_from_provider(b"{}", signature=signature_with("older"))
    assert not razorpay.is_from_provider(b"{ }", signature=signature_with("new"))


def test_without_a_provider_money_waits_and_nothing_is_signed() -> None:
    nobody = NoProvider()
    payment = Payment("pay_1", "order_1", 100, "INR", PaymentStatus.AUTHORIZED)

    for ask in (
        lambda: nobody.open_order(uuid4(), amount_paise=100),
        lambda: nobody.payments_of("order_1"),
        lambda: nobody.capture(payment),
        lambda: nobody.refund("pay_1", amount_paise=100, reference="r"),
        lambda: nobody.refunds_of("pay_1"),
    ):
        with pytest.raises(PeerUnavailable, match="PAYMENTS=none"):
            ask()
    assert not nobody.is_from_checkout(order_id="o", payment_id="p", signature="")
    assert not nobody.is_from_provider(b"", signature="")

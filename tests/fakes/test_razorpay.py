"""The payment provider for development, spoken to by the official SDK as booking does."""

import hashlib
import hmac
import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
import razorpay
import requests
from razorpay.errors import BadRequestError, ServerError

from devstack.ports import free_ports
from devstack.testing import eventually

KEYS = ("rzp_test_merchant", secrets.token_urlsafe())
WEBHOOK_SECRET = secrets.token_urlsafe()
DEV = Path(__file__).parents[2] / "deploy" / "dev"


@dataclass
class Webhook:
    """What arrived at the merchant."""

    body: bytes
    signature: str
    event_id: str

    @property
    def name(self) -> str:
        return str(json.loads(self.body)["event"])

    @property
    def signed(self) -> bool:
        expected = hmac.new(WEBHOOK_SECRET.encode(), self.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, self.signature)


class Merchant(ThreadingHTTPServer):
    """Where webhooks go; answers with the statuses it was told, then with 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _MerchantHandler)
        self.received: list[Webhook] = []
        self.statuses: list[int] = []

    def names(self) -> list[str]:
        return [webhook.name for webhook in self.received]


class _MerchantHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        merchant = cast("Merchant", self.server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signature, event_id = (
            self.headers[name] for name in ("X-Razorpay-Signature", "X-Razorpay-Event-Id")
        )
        merchant.received.append(Webhook(body, signature, event_id))
        self.send_response(merchant.statuses.pop(0) if merchant.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output readable."""


@dataclass
class Provider:
    """The running provider: its API through the SDK, its control by hand."""

    url: str
    merchant: Merchant
    sdk: Any = field(init=False)

    def __post_init__(self) -> None:
        self.sdk = razorpay.Client(auth=KEYS, base_url=self.url)

    def control(self, method: str, path: str, **body: Any) -> Any:
        answer = requests.request(method, f"{self.url}/control/{path}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def order(self, amount: int = 108_782, **wish: Any) -> Any:
        return self.sdk.order.create({"amount": amount, "currency": "INR", **wish})

    def pay(self, order: Any, **wish: Any) -> Any:
        return self.control("POST", f"orders/{order['id']}/payments", **wish)

    def paid(self, amount: int = 108_782) -> str:
        return str(self.pay(self.order(amount))["razorpay_payment_id"])


def running_provider(merchant: Merchant) -> Iterator[Provider]:
    port = free_ports(["PORT"])["PORT"]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(DEV),
        "ENV": "development",
        "PORT": port,
        "RAZORPAY_KEY_ID": KEYS[0],
        "RAZORPAY_KEY_SECRET": KEYS[1],
        "RAZORPAY_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "RAZORPAY_WEBHOOK_URL": f"http://127.0.0.1:{merchant.server_port}/webhooks",
    }
    process = subprocess.Popen([sys.executable, "-m", "fakes.razorpay"], env=environment)
    provider = Provider(f"http://127.0.0.1:{port}", merchant)
    try:
        eventually(lambda: _answers(provider.url))
        yield provider
    finally:
        process.terminate()
        process.wait(timeout=10)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def merchant() -> Iterator[Merchant]:
    with Merchant() as merchant:
        threading.Thread(target=merchant.serve_forever, daemon=True).start()
        yield merchant
        merchant.shutdown()


@pytest.fixture(scope="module")
def running(merchant: Merchant) -> Iterator[Provider]:
    yield from running_provider(merchant)


@pytest.fixture
def provider(running: Provider) -> Iterator[Provider]:
    """The provider with all well and nothing on its way."""
    running.merchant.received.clear()
    yield running
    running.control("PUT", "faults")
    running.control("POST", "webhooks/release")
    eventually(lambda: not _waiting(running))


def _waiting(provider: Provider) -> bool:
    events = requests.get(f"{provider.url}/control/webhooks", timeout=10).json()["items"]
    return any(event["status"] == "waiting" for event in events)


def test_a_paid_order_is_captured_and_the_checkout_has_a_signature(provider: Provider) -> None:
    order = provider.order(receipt="booking-1", notes={"booking": "1"}, payment_capture=1)
    assert (order["status"], order["amount_due"]) == ("created", 108_782)

    told = provider.pay(order)

    provider.sdk.utility.verify_payment_signature(told)
    payment = provider.sdk.payment.fetch(told["razorpay_payment_id"])
    assert (payment["status"], payment["captured"]) == ("captured", True)
    assert (payment["amount"], payment["currency"]) == (108_782, "INR")
    assert (payment["order_id"], payment["notes"]) == (order["id"], {"booking": "1"})
    paid = provider.sdk.order.fetch(order["id"])
    assert (paid["status"], paid["amount_due"], paid["attempts"]) == ("paid", 0, 1)
    assert provider.sdk.order.payments(order["id"])["items"] == [payment]


def test_orders_are_found_by_their_receipt(provider: Provider) -> None:
    receipt = secrets.token_hex(8)
    order = provider.order(receipt=receipt)

    assert provider.sdk.order.all({"receipt": receipt})["items"] == [order]
    assert provider.sdk.order.all({"receipt": "another"})["count"] == 0


def test_every_step_is_told_in_a_signed_webhook(provider: Provider) -> None:
    payment_id = provider.paid()
    provider.sdk.payment.refund(payment_id, {"amount": 10_000})

    expected = ["payment.authorized", "payment.captured", "order.paid"]
    expected += ["refund.created", "refund.processed"]
    eventually(lambda: provider.merchant.names() == expected)
    received = provider.merchant.received
    assert all(webhook.signed for webhook in received)
    assert len({webhook.event_id for webhook in received}) == len(expected)
    told = json.loads(received[-1].body)["payload"]
    assert told["refund"]["entity"]["status"] == "processed"
    assert told["payment"]["entity"]["amount_refunded"] == 10_000


def test_a_webhook_comes_again_until_it_is_accepted(provider: Provider) -> None:
    provider.merchant.statuses = [500, 404]

    provider.pay(provider.order(), outcome="failed")

    eventually(lambda: len(provider.merchant.received) == 3)
    assert len({webhook.event_id for webhook in provider.merchant.received}) == 1
    eventually(lambda: not _waiting(provider))


@pytest.mark.parametrize(
    ("fault", "arriving", "signed"),
    [
        ("drop", [], True),
        ("delay", ["payment.failed"], True),
        ("duplicate", ["payment.failed", "payment.failed"], True),
        ("forge", ["payment.failed"], False),
    ],
)
def test_webhooks_can_go_astray(
    provider: Provider, fault: str, arriving: list[str], signed: bool
) -> None:
    provider.control("PUT", "faults", webhooks=fault, delaySeconds=0.2)

    provider.pay(provider.order(), outcome="failed")

    eventually(lambda: not _waiting(provider))
    assert provider.merchant.names() == arriving
    assert all(webhook.signed is signed for webhook in provider.merchant.received)


def test_held_webhooks_come_in_the_order_of_the_releaser(provider: Provider) -> None:
    provider.control("PUT", "faults", webhooks="hold")
    provider.paid()
    assert provider.merchant.received == []

    provider.control("POST", "webhooks/release", order="reversed")

    expected = ["order.paid", "payment.captured", "payment.authorized"]
    eventually(lambda: provider.merchant.names() == expected)


def test_a_payment_is_authorized_late_and_captured_by_hand(provider: Provider) -> None:
    order = provider.order()
    payment_id = provider.pay(order, outcome="created")["razorpay_payment_id"]
    with pytest.raises(BadRequestError, match="have been authorized"):
        provider.sdk.payment.capture(payment_id, 108_782, {"currency": "INR"})

    late = provider.control("POST", f"payments/{payment_id}/authorization")
    assert (late["status"], late["captured"]) == ("authorized", False)
    captured = provider.sdk.payment.capture(payment_id, 108_782, {"currency": "INR"})

    assert captured["status"] == "captured"
    with pytest.raises(BadRequestError, match="already been captured"):
        provider.sdk.payment.capture(payment_id, 108_782, {"currency": "INR"})


def test_a_failed_attempt_leaves_the_order_open_for_another(provider: Provider) -> None:
    order = provider.order()
    failed = provider.pay(order, outcome="failed")["razorpay_payment_id"]
    assert provider.sdk.payment.fetch(failed)["error_code"] == "BAD_REQUEST_ERROR"
    assert provider.sdk.order.fetch(order["id"])["status"] == "attempted"

    provider.pay(order)

    assert provider.sdk.order.fetch(order["id"])["status"] == "paid"


def test_refunds_add_up_to_the_payment_and_no_more(provider: Provider) -> None:
    payment_id = provider.paid(10_000)

    provider.sdk.payment.refund(payment_id, {"amount": 4_000})
    assert provider.sdk.payment.fetch(payment_id)["refund_status"] == "partial"
    with pytest.raises(BadRequestError, match="greater than"):
        provider.sdk.payment.refund(payment_id, {"amount": 6_001})
    provider.sdk.payment.refund(payment_id, {})

    payment = provider.sdk.payment.fetch(payment_id)
    assert (payment["status"], payment["refund_status"]) == ("refunded", "full")
    refunds = provider.sdk.payment.fetch_multiple_refund(payment_id)["items"]
    assert [refund["amount"] for refund in refunds] == [6_000, 4_000]
    with pytest.raises(BadRequestError, match="fully refunded"):
        provider.sdk.payment.refund(payment_id, {"amount": 100})


def test_a_refund_with_a_key_is_made_once(provider: Provider) -> None:
    payment_id = provider.paid()
    key = {"X-Refund-Idempotency": secrets.token_hex(16)}

    first = provider.sdk.payment.refund(payment_id, {"amount": 500}, headers=dict(key))
    again = provider.sdk.payment.refund(payment_id, {"amount": 500}, headers=dict(key))

    assert again["id"] == first["id"]
    assert provider.sdk.payment.fetch(payment_id)["amount_refunded"] == 500
    with pytest.raises(BadRequestError, match="same idempotency key"):
        provider.sdk.payment.refund(payment_id, {"amount": 600}, headers=dict(key))


@pytest.mark.parametrize("status", ["processed", "failed"])
def test_a_pending_refund_is_settled_by_the_bank(provider: Provider, status: str) -> None:
    payment_id = provider.paid(10_000)
    provider.control("PUT", "faults", refunds="pending")
    refund = provider.sdk.payment.refund(payment_id, {})
    assert refund["status"] == "pending"

    provider.control("POST", f"refunds/{refund['id']}/settlement", status=status)

    assert provider.sdk.refund.fetch(refund["id"])["status"] == status
    left = provider.sdk.payment.fetch(payment_id)["amount_refunded"]
    assert left == (10_000 if status == "processed" else 0)


def test_the_faults_of_the_moment_can_be_read(provider: Provider) -> None:
    wished = {"api": "slow", "webhooks": "hold", "refunds": "pending", "delaySeconds": 0.0}
    assert provider.control("PUT", "faults", **wished) == wished

    provider.control("PUT", "faults")
    normal = {"api": "none", "webhooks": "none", "refunds": "none", "delaySeconds": 1.0}
    assert requests.get(f"{provider.url}/control/faults", timeout=10).json() == normal


def test_refunds_fail_or_are_refused(provider: Provider) -> None:
    payment_id = provider.paid()
    provider.control("PUT", "faults", refunds="refused")
    with pytest.raises(BadRequestError, match="enough balance"):
        provider.sdk.payment.refund(payment_id, {})

    provider.control("PUT", "faults", refunds="failed")
    provider.sdk.payment.refund(payment_id, {})

    eventually(lambda: "refund.failed" in provider.merchant.names())


def test_an_error_does_nothing_but_a_lost_reply_hides_what_was_done(provider: Provider) -> None:
    lost, never = secrets.token_hex(8), secrets.token_hex(8)
    for fault, receipt in (("lost_reply", lost), ("error", never)):
        provider.control("PUT", "faults", api=fault)
        with pytest.raises(ServerError):
            provider.order(receipt=receipt)

    provider.control("PUT", "faults")
    assert provider.sdk.order.all({"receipt": lost})["count"] == 1
    assert provider.sdk.order.all({"receipt": never})["count"] == 0


def test_answers_can_be_late_or_garbage(provider: Provider) -> None:
    provider.control("PUT", "faults", api="slow", delaySeconds=5)
    with pytest.raises(requests.Timeout):
        provider.sdk.order.create({"amount": 100, "currency": "INR"}, timeout=0.1)

    provider.control("PUT", "faults", api="garbage")
    with pytest.raises(requests.JSONDecodeError):
        provider.order()


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        ({"amount": 99}, "at least INR 1.00"),
        ({"amount": 100.5}, "must be an integer"),
        ({"currency": "EUR"}, "Currency is not supported"),
        ({"receipt": "x" * 41}, "greater than 40"),
    ],
)
def test_a_wrong_order_is_refused(provider: Provider, wish: Any, complaint: str) -> None:
    with pytest.raises(BadRequestError, match=complaint):
        provider.sdk.order.create({"amount": 100, "currency": "INR", **wish})


def test_what_is_unknown_is_refused(provider: Provider) -> None:
    with pytest.raises(BadRequestError, match="does not exist"):
        provider.sdk.payment.fetch("pay_unknown")
    answer = requests.put(f"{provider.url}/control/faults", json={"api": "moody"}, timeout=10)
    assert answer.status_code == 422


def test_another_merchant_is_not_let_in(provider: Provider) -> None:
    stranger = razorpay.Client(auth=(KEYS[0], "another secret"), base_url=provider.url)

    with pytest.raises(BadRequestError, match="Authentication failed"):
        stranger.order.create({"amount": 100, "currency": "INR"})


@pytest.mark.parametrize("changes", [{"ENV": "production"}, {"RAZORPAY_WEBHOOK_URL": ""}])
def test_it_runs_for_development_only_and_with_everything_it_needs(changes: dict[str, str]) -> None:
    environment = {
        "PYTHONPATH": str(DEV),
        "ENV": "development",
        "PORT": "1",
        "RAZORPAY_KEY_ID": "x",
        "RAZORPAY_KEY_SECRET": "x",
        "RAZORPAY_WEBHOOK_SECRET": "x",
        "RAZORPAY_WEBHOOK_URL": "http://127.0.0.1:1",
        **changes,
    }

    done = subprocess.run(
        [sys.executable, "-m", "fakes.razorpay"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "ENV=development" in done.stderr or "RAZORPAY_WEBHOOK_URL" in done.stderr

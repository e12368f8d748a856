"""The whole purchase with real processes: hold, checkout, webhook, ticket, cancellation, refund."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from devstack.ports import free_ports
from devstack.settings import PORTS
from devstack.stack import Stack
from devstack.testing import eventually
from devstack.visitor import Visitor

VisitorFactory = Callable[..., Visitor]
ShowFactory = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.system


class Purchase:
    """A buyer, a booking, and the provider at which it is paid."""

    def __init__(self, stack: Stack, buyer: Visitor, show: dict[str, Any], quantity: int) -> None:
        answer = buyer.post("/api/v1/bookings", {"showId": show["id"], "quantity": quantity})
        assert answer.status_code == 201, answer.text
        self.booking = answer.json()["booking"]
        self._buyer = buyer
        self._provider = f"http://127.0.0.1:{stack.settings['RAZORPAY_PORT']}"
        self._keys = stack.settings["RAZORPAY_KEY_ID"], stack.settings["RAZORPAY_KEY_SECRET"]

    def control(self, method: str, path: str, **body: Any) -> Any:
        answer = requests.request(method, f"{self._provider}/control/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def refunds_of(self, payment_id: str) -> Any:
        """Return what the provider has sent back, as its API says."""
        path = f"{self._provider}/v1/payments/{payment_id}/refunds"
        return requests.get(path, auth=self._keys, timeout=10).json()["items"]

    def pay(self) -> Any:
        return self.control("POST", f"orders/{self.booking['payment']['orderId']}/payments")

    def cancel(self) -> None:
        answer = self._buyer.post(f"/api/v1/bookings/{self.booking['id']}/cancel", {})
        assert answer.status_code == 200, answer.text

    def hand_in(self, told: Any) -> Any:
        return self._buyer.post(
            f"/api/v1/bookings/{self.booking['id']}/payment",
            {
                "razorpayPaymentId": told["razorpay_payment_id"],
                "razorpaySignature": told["razorpay_signature"],
            },
        ).json()

    def now(self) -> tuple[str, list[tuple[float, str]]]:
        """Return the booking's status and its refunds, as the buyer sees them."""
        answer = self._buyer.get(f"/api/v1/bookings/{self.booking['id']}")
        if answer.status_code != 200:
            return "unavailable", []
        booking = answer.json()["booking"]
        refunds = [(refund["amount"], refund["status"]) for refund in booking["refunds"]]
        return booking["status"], refunds

    def becomes(self, status: str, *refunds: tuple[float, str]) -> None:
        eventually(lambda: self.now() == (status, list(refunds)), seconds=45)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, installed: Path) -> Iterator[Stack]:
    """A stack that takes payments, and asks the provider soon about what it does not hear of."""
    settings = {"PAYMENTS": "razorpay", "RECONCILE_AFTER_SECONDS": "2", **free_ports(PORTS)}
    folder = tmp_path_factory.mktemp("payments")
    with Stack(folder, settings, copy_of=installed) as stack:
        yield stack


@pytest.fixture
def purchase(
    stack: Stack, visitor: VisitorFactory, show_on_sale: ShowFactory
) -> Iterator[Purchase]:
    show = show_on_sale(ticketPrice=499, totalTickets=10)
    purchase = Purchase(stack, visitor("audience@comedy.example"), show, 2)
    purchase.control("PUT", "faults")
    yield purchase
    purchase.control("PUT", "faults")


def test_a_paid_booking_is_confirmed_and_a_cancelled_one_paid_back(purchase: Purchase) -> None:
    assert purchase.booking["payment"]["amount"] == 108_782
    assert purchase.now() == ("PENDING", [])

    purchase.pay()
    purchase.becomes("CONFIRMED")
    purchase.cancel()

    purchase.becomes("CANCELLED", (998, "DONE"))


def test_the_checkout_confirms_when_no_webhook_comes(purchase: Purchase) -> None:
    purchase.control("PUT", "faults", webhooks="drop")

    assert purchase.hand_in(purchase.pay())["booking"]["status"] == "CONFIRMED"


def test_what_nobody_tells_is_asked_for(purchase: Purchase) -> None:
    purchase.control("PUT", "faults", webhooks="drop")

    purchase.pay()

    purchase.becomes("CONFIRMED")


def test_webhooks_that_nobody_took_come_again(stack: Stack, purchase: Purchase) -> None:
    stack.stop_process("booking")
    purchase.pay()
    stack.start_process("booking")

    purchase.becomes("CONFIRMED")


@pytest.mark.parametrize("victim", ["booking", "booking-worker"])
def test_money_is_neither_lost_nor_sent_twice_when_processes_are_killed(
    stack: Stack, purchase: Purchase, victim: str
) -> None:
    purchase.control("PUT", "faults", webhooks="duplicate", refunds="pending")
    told = purchase.pay()
    stack.kill(victim)
    purchase.becomes("CONFIRMED")

    stack.wait_until_ready("booking")
    purchase.cancel()
    stack.kill(victim)
    purchase.becomes("CANCELLED", (998, "SENT"))
    refunds = purchase.refunds_of(told["razorpay_payment_id"])
    assert [refund["amount"] for refund in refunds] == [99_800]
    purchase.control("POST", f"refunds/{refunds[0]['id']}/settlement", status="processed")

    purchase.becomes("CANCELLED", (998, "DONE"))


def test_a_provider_that_is_away_sells_nothing_and_holds_no_seat(
    stack: Stack, visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    show = show_on_sale(ticketPrice=499, totalTickets=1)
    buyer = visitor("audience@comedy.example")
    stack.stop_process("razorpay")
    wish = {"showId": show["id"], "quantity": 1}
    refused = buyer.post("/api/v1/bookings", wish)
    stack.start_process("razorpay")

    assert (refused.status_code, refused.json()["code"]) == (503, "PAYMENTS_UNAVAILABLE")
    eventually(lambda: buyer.post("/api/v1/bookings", wish).status_code == 201)


def test_all_invariants_hold_after_the_purchases(stack: Stack) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_invariants"],
        env={"DATABASE_URL": stack.db_url("auditor")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr

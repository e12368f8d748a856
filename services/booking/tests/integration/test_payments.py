"""Buying online: what is captured confirms its booking or goes back, in any order of news."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import permutations
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from services.booking.tests.conftest import MERCHANT
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from booking_service.app import create_app
from booking_service.clients.payments import PaymentProvider, ProviderRefused
from booking_service.domain.bookings import BookingStatus, Payments
from booking_service.domain.offers import Inventory
from booking_service.domain.payments import Payment, PaymentOrder, PaymentStatus, ProviderRefund
from booking_service.domain.refunds import RefundStatus
from booking_service.usecases import catch_up as catching_up
from booking_service.usecases import settle_order as settling
from booking_service.usecases import settle_refunds as refunding
from booking_service.usecases.cancel_booking import cancel_booking
from booking_service.usecases.catch_up import catch_up
from booking_service.usecases.desk import Desk
from booking_service.usecases.hear_of_payments import handle_news
from booking_service.usecases.open_payment import open_cut_off
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.release_expired_holds import release_expired_holds
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.usecases.settle_order import settle_due
from booking_service.usecases.settle_refunds import send_refund, settle_open_refunds
from booking_service.wiring import Wiring
from devstack.testing import Databases
from fakes.razorpay.testing import Simulator
from service_kit.database import connect_to
from service_kit.peers import PeerUnavailable
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., UUID]

PENDING, CONFIRMED, UNPAID, CANCELLED, FAILED = BookingStatus
PRICE, FEE = 49_900, 4_491  # of one ticket
TOTAL = PRICE + FEE
DUE, SENT, DONE, REFUND_FAILED = RefundStatus


@dataclass
class BoxOffice:
    """The service's API, the provider's controls, and a worker that does what is in the queue."""

    use: Wiring
    client: FlaskClient
    provider: Simulator
    issuer: TokenIssuer

    def try_to_book(
        self, show_id: UUID, *, quantity: int = 1, buyer: UUID | None = None, key: str | None = None
    ) -> Any:
        headers = self.issuer.user(buyer or uuid4())
        headers |= {"Idempotency-Key": key} if key else {}
        body = {"showId": str(show_id), "quantity": quantity}
        return self.client.post("/api/v1/bookings", json=body, headers=headers)

    def book(self, show_id: UUID, **wish: Any) -> Any:
        buyer = wish.pop("buyer", None) or uuid4()
        answer = self.try_to_book(show_id, buyer=buyer, **wish)
        assert answer.status_code == 201, answer.json
        return {**answer.json["booking"], "buyer": str(buyer)}

    def pay(self, booking: Any, **wish: Any) -> dict[str, str]:
        return self.provider.pay(booking["payment"]["orderId"], **wish)

    def webhooks_of(self, booking: Any) -> list[dict[str, Any]]:
        order_id = booking["payment"]["orderId"]
        return [event for event in self.provider.webhooks() if order_id in event["body"]]

    def hear(self, event: dict[str, Any], **changes: str) -> Any:
        """Have a webhook arrive."""
        return self.client.post(
            "/api/v1/webhooks/razorpay",
            data=changes.get("body", event["body"]),
            content_type="application/json",
            headers={"X-Razorpay-Signature": changes.get("signature", event["signature"])},
        )

    def work(self) -> None:
        """Do what transactions have left to the worker, in any order, and what that leaves."""
        while names := self._taken_from_queue():
            for name in names:
                kind, _, rest = name.partition(":")
                if kind == "news":
                    handle_news(self.use.desk, news_id=UUID(rest))
                elif kind == "refund":
                    send_refund(self.use.desk, refund_id=UUID(rest.partition(":")[0]))

    def _taken_from_queue(self) -> list[str]:
        with self.use.engine.begin() as connection:
            work = connection.execute(
                text(
                    "DELETE FROM booking_workflows.workflow_status WHERE status = 'ENQUEUED'"
                    " AND (workflow_uuid LIKE 'news:%' OR workflow_uuid LIKE 'refund:%')"
                    " RETURNING workflow_uuid"
                )
            )
            return [str(row.workflow_uuid) for row in work]

    def hear_all(self, booking: Any) -> None:
        for event in self.webhooks_of(booking):
            assert self.hear(event).status_code == 200
        self.work()

    def settle_now(self, *bookings: Any) -> None:
        """Have the worker ask about orders as if it were time for it."""
        with self.use.engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE booking.payment_order SET check_at = now() - interval '9 days'"
                    " WHERE booking_id = ANY(:ids) AND check_at IS NOT NULL"
                ),
                {"ids": [UUID(booking["id"]) for booking in bookings]},
            )
        settle_due(self.use.desk)

    def show(self, booking: Any) -> Inventory:
        with self.use.read() as tx:
            inventory = tx.inventory.of(UUID(booking["show"]["id"]))
        assert inventory is not None
        return inventory

    def status(self, booking: Any) -> BookingStatus:
        with self.use.engine.connect() as connection:
            found = connection.execute(
                text("SELECT status FROM booking.booking WHERE id = :id"), {"id": booking["id"]}
            )
            return BookingStatus(found.scalar_one())

    def cancel(self, booking: Any) -> None:
        cancel_booking(
            self.use.begin, buyer_id=UUID(booking["buyer"]), booking_id=UUID(booking["id"])
        )

    def refunds(self, booking: Any) -> list[tuple[int, RefundStatus]]:
        with self.use.read() as tx:
            found = tx.refunds.of_booking(UUID(booking["id"]))
        return [(refund.amount_paise, refund.status) for refund in found]

    def end_hold(self, booking: Any) -> None:
        with self.use.engine.begin() as connection:
            connection.execute(
                text("UPDATE booking.booking SET expires_at = now() WHERE id = :id"),
                {"id": booking["id"]},
            )
        release_expired_holds(self.use.begin)


class Moody:
    """The provider, which gives no usable answer about some things and refuses others."""

    def __init__(
        self, provider: PaymentProvider, *, silent: Sequence[str] = (), refused: Sequence[str] = ()
    ) -> None:
        self._provider = provider
        self._silent = silent
        self._refused = refused

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)

    def open_order(self, booking_id: UUID, *, amount_paise: int) -> PaymentOrder:
        self._listen(str(booking_id))
        return self._provider.open_order(booking_id, amount_paise=amount_paise)

    def payments_of(self, order_id: str) -> Sequence[Payment]:
        self._listen(order_id)
        return self._provider.payments_of(order_id)

    def refund(self, payment_id: str, *, amount_paise: int, reference: str) -> ProviderRefund:
        self._listen(payment_id)
        return self._provider.refund(payment_id, amount_paise=amount_paise, reference=reference)

    def refunds_of(self, payment_id: str) -> Sequence[ProviderRefund]:
        self._listen(payment_id)
        return self._provider.refunds_of(payment_id)

    def _listen(self, about: str) -> None:
        if about in self._silent:
            raise PeerUnavailable.of("razorpay", "answered with something unexpected")
        if about in self._refused:
            raise ProviderRefused("no")


def desk_with(use: Wiring, **moods: Sequence[str]) -> Desk:
    moody: Any = Moody(use.desk.provider, **moods)
    return replace(use.desk, provider=moody, patience=timedelta())


@pytest.fixture
def box_office(online: Wiring, provider: Simulator, issuer: TokenIssuer) -> BoxOffice:
    provider.fail(webhooks="hold")
    return BoxOffice(online, create_app(online).test_client(), provider, issuer)


def seats(inventory: Inventory) -> tuple[int, int, int]:
    return inventory.available, inventory.locked, inventory.sold


def test_a_captured_payment_confirms_a_booking_and_its_cancellation_is_paid_back(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    booking = box_office.book(show_with(capacity=3, price_paise=PRICE), quantity=2)
    assert booking["status"] == "PENDING"
    assert booking["expiresAt"] is not None
    payment = booking["payment"]
    assert (payment["provider"], payment["keyId"]) == ("razorpay", "rzp_test_merchant")
    assert (payment["amount"], payment["currency"]) == (108_782, "INR")
    assert seats(box_office.show(booking)) == (1, 2, 0)

    box_office.pay(booking)
    box_office.hear_all(booking)
    assert box_office.status(booking) is CONFIRMED
    assert seats(box_office.show(booking)) == (1, 0, 2)

    box_office.cancel(booking)
    assert box_office.refunds(booking) == [(99_800, DUE)]  # tickets, not the convenience fee
    with box_office.use.read() as tx:
        assert tx.refunds.age_of_oldest_unsent() > timedelta()
    box_office.work()
    assert (box_office.status(booking), box_office.refunds(booking)) == (
        CANCELLED,
        [(99_800, DONE)],
    )
    assert seats(box_office.show(booking)) == (3, 0, 0)


def test_a_free_booking_needs_no_payment(box_office: BoxOffice, show_with: ShowFactory) -> None:
    booking = box_office.book(show_with(price_paise=0))

    assert (booking["status"], booking["payment"]) == ("CONFIRMED", None)


def test_news_lead_to_the_same_end_in_every_order_and_number(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    show_id = show_with(capacity=100)
    random = Random(20261122)  # noqa: S311
    for order in permutations(range(4)):
        booking = box_office.book(show_id)
        box_office.pay(booking, outcome="failed")
        box_office.pay(booking)
        events = box_office.webhooks_of(booking)
        assert len(events) == len(order)

        for number in order:
            box_office.hear(events[number])
            if random.random() < 0.5:
                box_office.hear(events[random.choice(order)])
            if random.random() < 0.5:
                box_office.work()
        box_office.work()

        assert (box_office.status(booking), box_office.refunds(booking)) == (CONFIRMED, [])


@pytest.mark.parametrize("seed", range(8))
def test_news_may_come_while_things_still_happen(
    box_office: BoxOffice, show_with: ShowFactory, seed: int
) -> None:
    random = Random(seed)  # noqa: S311
    booking = box_office.book(show_with(capacity=1))

    def gossip() -> None:
        for event in random.choices(box_office.webhooks_of(booking), k=3):
            box_office.hear(event)
        if random.random() < 0.7:
            box_office.work()

    box_office.pay(booking, outcome="failed")
    gossip()
    payment_id = box_office.pay(booking, outcome="created")["razorpay_payment_id"]
    gossip()
    box_office.provider.control("POST", f"payments/{payment_id}/authorization")
    gossip()
    box_office.hear_all(booking)
    assert box_office.status(booking) is CONFIRMED
    box_office.provider.fail(webhooks="hold", refunds="pending")
    box_office.cancel(booking)
    gossip()
    box_office.work()
    (refund,) = box_office.use.desk.provider.refunds_of(payment_id)
    box_office.provider.control("POST", f"refunds/{refund.id}/settlement", status="processed")
    box_office.hear_all(booking)
    gossip()
    box_office.work()

    assert (box_office.status(booking), box_office.refunds(booking)) == (
        CANCELLED,
        [(PRICE, DONE)],
    )
    assert seats(box_office.show(booking)) == (1, 0, 0)


def test_a_late_capture_has_its_seats_if_they_are_still_there(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    booking = box_office.book(show_with(capacity=1))
    box_office.end_hold(booking)
    assert box_office.status(booking) is FAILED

    box_office.pay(booking)
    box_office.hear_all(booking)

    assert (box_office.status(booking), box_office.refunds(booking)) == (CONFIRMED, [])
    assert seats(box_office.show(booking)) == (0, 0, 1)


def test_a_late_capture_of_a_show_that_has_moved_can_be_had_back_in_full(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    booking = box_office.book(show_with(capacity=1))
    box_office.end_hold(booking)
    offer = box_office.show(booking).offer
    put_offer(box_office.use.begin, offer=replace(offer, version=2, venue="Somewhere else"))
    box_office.pay(booking)
    box_office.hear_all(booking)
    assert box_office.status(booking) is CONFIRMED

    box_office.cancel(booking)
    box_office.work()

    assert (box_office.status(booking), box_office.refunds(booking)) == (CANCELLED, [(TOTAL, DONE)])


def test_a_late_capture_goes_back_in_full_if_the_seats_are_gone(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    show_id = show_with(capacity=1)
    late = box_office.book(show_id)
    box_office.end_hold(late)
    other = box_office.book(show_id)

    box_office.pay(late)
    box_office.hear_all(late)

    assert (box_office.status(late), box_office.refunds(late)) == (FAILED, [(TOTAL, DONE)])
    assert box_office.status(other) is PENDING


@pytest.mark.parametrize("seed", range(6))
def test_one_of_two_buyers_has_the_seat_when_a_hold_ends_while_it_is_paid(
    box_office: BoxOffice, show_with: ShowFactory, seed: int
) -> None:
    show_id = show_with(capacity=1)
    late = box_office.book(show_id)
    box_office.pay(late)
    events = box_office.webhooks_of(late)
    with box_office.use.engine.begin() as connection:
        connection.execute(
            text("UPDATE booking.booking SET expires_at = now() WHERE id = :id"),
            {"id": late["id"]},
        )

    random = Random(seed)  # noqa: S311

    def capture() -> None:
        for event in random.sample(events, len(events)):
            box_office.hear(event)
        box_office.work()

    with ThreadPoolExecutor(2) as both:
        captured = both.submit(capture)
        answer = both.submit(box_office.try_to_book, show_id).result()
        captured.result()
    box_office.work()

    if answer.status_code == 201:
        other = answer.json["booking"]
        box_office.pay(other)
        box_office.hear_all(other)
        assert box_office.status(other) is CONFIRMED
        assert (box_office.status(late), box_office.refunds(late)) == (FAILED, [(TOTAL, DONE)])
    else:
        assert answer.json["code"] == "SOLD_OUT"
        assert (box_office.status(late), box_office.refunds(late)) == (CONFIRMED, [])
    assert seats(box_office.show(late)) == (0, 0, 1)


def test_another_amount_never_confirms_and_goes_back(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    booking = box_office.book(show_with(capacity=1))
    box_office.pay(booking, amount=TOTAL - 1)
    box_office.hear_all(booking)

    assert (box_office.status(booking), box_office.refunds(booking)) == (
        PENDING,
        [(TOTAL - 1, DONE)],
    )


def test_what_is_paid_twice_goes_back_once_also_after_a_cancellation(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    booking = box_office.book(show_with(capacity=1))
    for _ in range(2):
        box_office.pay(booking, outcome="authorized")
    box_office.pay(booking)
    box_office.hear_all(booking)
    assert (box_office.status(booking), box_office.refunds(booking)) == (CONFIRMED, [])
    provider = box_office.use.desk.provider
    first, second, _ = sorted(
        provider.payments_of(booking["payment"]["orderId"]), key=lambda each: each.status.value
    )

    provider.capture(first)
    box_office.hear_all(booking)
    assert (box_office.status(booking), box_office.refunds(booking)) == (
        CONFIRMED,
        [(TOTAL, DONE)],
    )
    box_office.cancel(booking)
    provider.capture(second)
    box_office.hear_all(booking)

    assert box_office.status(booking) is CANCELLED
    assert sorted(box_office.refunds(booking), key=str) == sorted(
        [(TOTAL, DONE), (PRICE, DONE), (TOTAL, DONE)], key=str
    )


def test_authorized_money_is_taken_while_the_seats_are_held_and_not_later(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    show_id = show_with(capacity=2)
    held, ended = box_office.book(show_id), box_office.book(show_id)
    box_office.end_hold(ended)
    for booking in (held, ended):
        box_office.pay(booking, outcome="authorized")
        box_office.hear_all(booking)

    assert (box_office.status(held), box_office.status(ended)) == (CONFIRMED, FAILED)
    (left,) = box_office.use.desk.provider.payments_of(ended["payment"]["orderId"])
    assert left.status.value == "AUTHORIZED"
    assert box_office.refunds(ended) == []


def test_seats_are_free_when_every_attempt_to_pay_has_failed_and_had_again_by_a_later_one(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    booking = box_office.book(show_with(capacity=1))
    box_office.pay(booking, outcome="created")
    box_office.pay(booking, outcome="failed")
    box_office.hear_all(booking)
    assert box_office.status(booking) is PENDING  # one attempt is still under way

    another = box_office.book(show_with(capacity=1))
    box_office.pay(another, outcome="failed")
    box_office.hear_all(another)
    assert (box_office.status(another), seats(box_office.show(another))) == (FAILED, (1, 0, 0))

    box_office.pay(another)
    box_office.hear_all(another)
    assert (box_office.status(another), seats(box_office.show(another))) == (CONFIRMED, (0, 0, 1))


def test_a_cancelled_sale_is_not_reopened_by_a_late_capture(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    booking = box_office.book(show_with(capacity=1))
    box_office.end_hold(booking)
    with box_office.use.engine.begin() as connection:
        connection.execute(
            text("UPDATE booking.ticket_inventory SET on_sale = false WHERE show_id = :id"),
            {"id": booking["show"]["id"]},
        )

    box_office.pay(booking)
    box_office.hear_all(booking)

    assert (box_office.status(booking), box_office.refunds(booking)) == (FAILED, [(TOTAL, DONE)])


def test_what_never_was_told_is_asked_for(box_office: BoxOffice, show_with: ShowFactory) -> None:
    booking = box_office.book(show_with(capacity=1))
    box_office.pay(booking)
    settle_due(box_office.use.desk)
    assert box_office.status(booking) is PENDING  # there is time yet

    with box_office.use.engine.begin() as connection:
        connection.execute(
            text("UPDATE booking.payment_order SET check_at = now() WHERE booking_id = :id"),
            {"id": booking["id"]},
        )
    settle_due(box_office.use.desk)

    assert box_office.status(booking) is CONFIRMED


def test_all_that_never_was_told_is_asked_for_in_one_run(
    box_office: BoxOffice, show_with: ShowFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "DUE_AT_ONCE", 2)
    show_id = show_with(capacity=5)
    bookings = [box_office.book(show_id) for _ in range(5)]
    for booking in bookings:
        box_office.pay(booking)

    box_office.settle_now(*bookings)

    assert {box_office.status(each) for each in bookings} == {CONFIRMED}


@pytest.mark.parametrize(
    ("age", "waits"),
    [
        (timedelta(hours=10), timedelta(minutes=15)),
        (timedelta(days=2), timedelta(days=2)),
        (timedelta(days=7), None),
    ],
)
def test_what_is_not_paid_is_asked_for_again_and_ever_less_often(
    box_office: BoxOffice,
    show_with: ShowFactory,
    databases: Databases,
    age: timedelta,
    waits: timedelta | None,
) -> None:
    booking = box_office.book(show_with())
    owner = connect_to(databases.postgres.settings.database_url("postgres"), application="test")
    with owner.begin() as connection:
        connection.execute(
            text("UPDATE booking.payment_order SET created_at = now() - :age WHERE booking_id=:id"),
            {"age": age, "id": booking["id"]},
        )
    owner.dispose()

    box_office.settle_now(booking)

    with box_office.use.engine.connect() as connection:
        next_time = connection.execute(
            text("SELECT check_at - now() FROM booking.payment_order WHERE booking_id = :id"),
            {"id": booking["id"]},
        ).scalar_one()
    if waits is None:
        assert next_time is None
    else:
        assert abs(waits - next_time) < timedelta(minutes=1)


def capture_unheard(box_office: BoxOffice, booking: Any) -> None:
    provider = box_office.use.desk.provider
    (authorized,) = (
        payment
        for payment in provider.payments_of(booking["payment"]["orderId"])
        if payment.status is PaymentStatus.AUTHORIZED
    )
    provider.capture(authorized)


def test_the_right_payment_is_found_after_a_wrong_one_without_news(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    booking = box_office.book(show_with(capacity=1))
    box_office.pay(booking, outcome="authorized")
    box_office.pay(booking, amount=TOTAL - 1)
    box_office.hear_all(booking)
    capture_unheard(box_office, booking)

    box_office.settle_now(booking)

    assert (box_office.status(booking), box_office.refunds(booking)) == (
        CONFIRMED,
        [(TOTAL - 1, DONE)],
    )


def test_what_is_paid_twice_goes_back_without_news(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    booking = box_office.book(show_with(capacity=1))
    box_office.pay(booking, outcome="authorized")
    box_office.pay(booking)
    box_office.hear_all(booking)
    capture_unheard(box_office, booking)

    box_office.settle_now(booking)
    box_office.work()

    assert (box_office.status(booking), box_office.refunds(booking)) == (
        CONFIRMED,
        [(TOTAL, DONE)],
    )


def test_money_that_was_returned_before_anybody_heard_of_it_confirms_nothing(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    booking = box_office.book(show_with(capacity=1))
    box_office.end_hold(booking)
    payment_id = box_office.pay(booking)["razorpay_payment_id"]
    box_office.use.desk.provider.refund(payment_id, amount_paise=TOTAL, reference=str(uuid4()))

    box_office.hear_all(booking)

    assert (box_office.status(booking), box_office.refunds(booking)) == (FAILED, [])


def test_news_and_refunds_do_not_wait_for_what_the_provider_cannot_tell(
    box_office: BoxOffice, show_with: ShowFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_id = show_with(capacity=9)
    first, *paid = [box_office.book(show_id) for _ in range(3)]
    given_up = [box_office.book(show_id) for _ in range(3)]
    payment_ids = [box_office.pay(booking)["razorpay_payment_id"] for booking in given_up]
    for booking in given_up:
        box_office.hear_all(booking)
    for booking in given_up:
        box_office.cancel(booking)
    for booking in (first, *paid):
        box_office.pay(booking)
        for event in box_office.webhooks_of(booking):
            box_office.hear(event)
    desk = desk_with(box_office.use, silent=[first["payment"]["orderId"], payment_ids[0]])

    with pytest.raises(PeerUnavailable):
        catch_up(desk, after=timedelta())
    assert [box_office.status(each) for each in (first, *paid)] == [PENDING, CONFIRMED, CONFIRMED]
    assert [box_office.refunds(each)[0][1] for each in given_up] == [DUE, DONE, DONE]

    monkeypatch.setattr(catching_up, "AT_ONCE", 1)  # less than what cannot be told
    late = box_office.book(show_id)
    box_office.pay(late)
    box_office.hear(box_office.webhooks_of(late)[0])
    for _ in range(200):
        with suppress(PeerUnavailable):
            catch_up(desk, after=timedelta())
    assert box_office.status(late) is CONFIRMED
    box_office.work()
    catch_up(box_office.use.desk, after=timedelta())


def test_refunds_that_were_sent_do_not_wait_for_one_that_cannot_be_told(
    box_office: BoxOffice, show_with: ShowFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refunding, "OPEN_AT_ONCE", 1)
    show_id = show_with(capacity=3)
    bookings = [box_office.book(show_id) for _ in range(3)]
    payment_ids = [box_office.pay(booking)["razorpay_payment_id"] for booking in bookings]
    box_office.provider.fail(webhooks="hold", refunds="pending")
    for booking, payment_id in zip(bookings, payment_ids, strict=True):
        box_office.hear_all(booking)
        box_office.cancel(booking)
        box_office.work()
        (refund,) = box_office.use.desk.provider.refunds_of(payment_id)
        box_office.provider.control("POST", f"refunds/{refund.id}/settlement", status="processed")

    with pytest.raises(PeerUnavailable):
        settle_open_refunds(desk_with(box_office.use, silent=payment_ids[:1]))

    assert [box_office.refunds(each)[0][1] for each in bookings] == [SENT, DONE, DONE]
    settle_open_refunds(desk_with(box_office.use))


def test_a_refund_that_is_refused_or_fails_is_seen_and_tried_again(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    booking = box_office.book(show_with(capacity=1))
    box_office.pay(booking)
    box_office.hear_all(booking)
    box_office.provider.fail(webhooks="hold", refunds="refused")
    box_office.cancel(booking)
    box_office.work()
    assert box_office.refunds(booking) == [(PRICE, REFUND_FAILED)]

    at_once = replace(box_office.use.desk, patience=timedelta())
    box_office.provider.fail(webhooks="hold", refunds="failed")
    settle_open_refunds(at_once)
    box_office.work()
    assert box_office.refunds(booking) == [(PRICE, REFUND_FAILED)]

    box_office.provider.fail(webhooks="hold", refunds="pending")
    settle_open_refunds(at_once)
    box_office.work()
    box_office.hear_all(booking)  # news of the attempt that failed, too
    assert box_office.refunds(booking) == [(PRICE, SENT)]

    payment = box_office.use.desk.provider.payments_of(booking["payment"]["orderId"])[0]
    newest = box_office.use.desk.provider.refunds_of(payment.id)[0]
    box_office.provider.control("POST", f"refunds/{newest.id}/settlement", status="processed")
    settle_open_refunds(at_once)  # the webhook never came
    assert box_office.refunds(booking) == [(PRICE, DONE)]


def test_a_refund_whose_answer_was_lost_is_made_once(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    booking = box_office.book(show_with(capacity=1))
    payment_id = box_office.pay(booking)["razorpay_payment_id"]
    box_office.hear_all(booking)
    box_office.cancel(booking)
    box_office.provider.fail(webhooks="hold", api="lost_reply")
    with pytest.raises(PeerUnavailable):
        box_office.work()
    box_office.provider.fail(webhooks="hold")

    catch_up(box_office.use.desk, after=timedelta())

    assert box_office.refunds(booking) == [(PRICE, DONE)]
    assert len(box_office.use.desk.provider.refunds_of(payment_id)) == 1


@pytest.mark.parametrize("fault", ["error", "lost_reply", "garbage"])
def test_without_an_order_nothing_is_booked_and_the_key_is_judged_afresh(
    box_office: BoxOffice, show_with: ShowFactory, fault: str
) -> None:
    show_id, buyer = show_with(capacity=1), uuid4()
    box_office.provider.fail(webhooks="hold", api=fault)
    refused = box_office.try_to_book(show_id, buyer=buyer, key="once")
    assert (refused.status_code, refused.json["code"]) == (503, "PAYMENTS_UNAVAILABLE")

    box_office.provider.fail(webhooks="hold")
    booking = box_office.book(show_id, buyer=buyer, key="once")

    assert booking["payment"]["orderId"].startswith("order_")
    assert seats(box_office.show(booking)) == (0, 1, 0)


def test_a_repeated_request_has_the_same_order_however_many_come_at_once(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    show_id, buyer = show_with(capacity=5), uuid4()
    with ThreadPoolExecutor(4) as requests:
        answers = list(
            requests.map(
                lambda _: box_office.try_to_book(show_id, buyer=buyer, key="once").json, range(4)
            )
        )

    assert all(answer == answers[0] for answer in answers)
    box_office.pay(answers[0]["booking"])
    box_office.hear_all(answers[0]["booking"])
    assert box_office.try_to_book(show_id, buyer=buyer, key="once").json == answers[0]


def test_the_order_of_a_request_that_was_cut_off_is_opened_by_the_worker(
    box_office: BoxOffice, show_with: ShowFactory, databases: Databases
) -> None:
    use, buyer_id = box_office.use, uuid4()
    show_id = show_with()
    cut_off = reserve_tickets(
        use.box_office,
        use.fees,
        use.rules,
        show_id=show_id,
        buyer_id=buyer_id,
        quantity=1,
        payments=Payments.ONLINE,
    )
    path, headers = f"/api/v1/bookings/{cut_off.id}", box_office.issuer.user(buyer_id)
    open_cut_off(use.desk)
    assert box_office.client.get(path, headers=headers).json["booking"]["payment"] is None

    owner = connect_to(databases.postgres.settings.database_url("postgres"), application="test")
    with owner.begin() as connection:
        connection.execute(
            text("UPDATE booking.booking SET created_at = now() - interval '1 min' WHERE id = :id"),
            {"id": cut_off.id},
        )
    owner.dispose()
    open_cut_off(use.desk)

    booking = box_office.client.get(path, headers=headers).json["booking"]
    assert booking["payment"]["amount"] == TOTAL
    box_office.pay(booking)
    box_office.hear_all(booking)
    assert box_office.status(booking) is CONFIRMED


def test_holds_that_were_cut_off_do_not_wait_for_one_without_an_order(
    box_office: BoxOffice, show_with: ShowFactory, databases: Databases
) -> None:
    use, show_id = box_office.use, show_with(capacity=3)
    silent, refused, good = (
        reserve_tickets(
            use.box_office,
            use.fees,
            use.rules,
            show_id=show_id,
            buyer_id=uuid4(),
            quantity=1,
            payments=Payments.ONLINE,
        ).id
        for _ in range(3)
    )
    owner = connect_to(databases.postgres.settings.database_url("postgres"), application="test")
    with owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE booking.booking SET created_at = now() - interval '1 min' WHERE id=ANY(:i)"
            ),
            {"i": [silent, refused, good]},
        )
    owner.dispose()

    with pytest.raises(PeerUnavailable):
        open_cut_off(desk_with(use, silent=[str(silent)], refused=[str(refused)]))

    with use.read() as tx:
        orders = [tx.payments.order_for(each) is not None for each in (silent, refused, good)]
    assert orders == [False, False, True]
    statuses = [box_office.status({"id": each}) for each in (silent, refused, good)]
    assert statuses == [PENDING, FAILED, PENDING]
    open_cut_off(use.desk)


def test_what_was_ordered_and_captured_cannot_be_rewritten(box_office: BoxOffice) -> None:
    for change in (
        "UPDATE booking.payment SET amount_paise = 1",
        "DELETE FROM booking.payment",
        "UPDATE booking.payment_order SET amount_paise = 1",
        "DELETE FROM booking.payment_news",
        "UPDATE booking.refund SET ticket_paise = 1",
    ):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            box_office.use.engine.begin() as connection,
        ):
            connection.execute(text(change))


def test_the_checkout_may_bring_the_news(box_office: BoxOffice, show_with: ShowFactory) -> None:
    booking = box_office.book(show_with(capacity=1))
    told = box_office.pay(booking)

    answer = check_out(box_office, booking, told)

    assert (answer.status_code, answer.json["booking"]["status"]) == (200, "CONFIRMED")
    again = check_out(box_office, booking, told)
    assert again.json == answer.json


def test_what_the_checkout_says_is_settled_once_the_provider_can_be_asked(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    booking = box_office.book(show_with(capacity=1))
    told = box_office.pay(booking)
    box_office.provider.fail(webhooks="hold", api="error")

    answer = check_out(box_office, booking, told)
    assert (answer.status_code, answer.json["booking"]["status"]) == (200, "PENDING")
    with pytest.raises(PeerUnavailable):
        catch_up(box_office.use.desk, after=timedelta())
    box_office.provider.fail(webhooks="hold")

    catch_up(box_office.use.desk)
    assert box_office.status(booking) is PENDING  # the worker may be at it
    catch_up(box_office.use.desk, after=timedelta())

    assert box_office.status(booking) is CONFIRMED


def test_the_checkout_of_something_else_is_refused(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    show_id = show_with(capacity=5)
    booking, other = box_office.book(show_id), box_office.book(show_id)
    told = box_office.pay(booking)

    def refused(at: Any, hand_in: dict[str, str], buyer: str) -> tuple[int, str]:
        answer = check_out(box_office, {**at, "buyer": buyer}, hand_in)
        return answer.status_code, answer.json["code"]

    forged = {**told, "razorpay_signature": "0" * 64}
    free = box_office.book(show_with(price_paise=0))
    wrong = (422, "PAYMENT_NOT_VERIFIED")
    assert refused(booking, forged, booking["buyer"]) == wrong
    assert refused(other, told, other["buyer"]) == wrong
    assert refused(booking, told, other["buyer"]) == (404, "BOOKING_NOT_FOUND")
    assert refused(free, told, free["buyer"]) == (409, "NOTHING_TO_PAY")
    assert {box_office.status(each) for each in (booking, other)} == {PENDING}


def check_out(box_office: BoxOffice, booking: Any, told: dict[str, str]) -> Any:
    return box_office.client.post(
        f"/api/v1/bookings/{booking['id']}/payment",
        json={
            "razorpayPaymentId": told["razorpay_payment_id"],
            "razorpaySignature": told["razorpay_signature"],
        },
        headers=box_office.issuer.user(UUID(booking["buyer"])),
    )


def test_only_what_the_provider_signed_is_heard(
    box_office: BoxOffice, show_with: ShowFactory
) -> None:
    booking = box_office.book(show_with(capacity=1))
    box_office.pay(booking)
    event = box_office.webhooks_of(booking)[0]

    for changes in (
        {"signature": "0" * 64},
        {"signature": ""},
        {"body": event["body"] + " "},
        {"body": event["body"].replace("authorized", "captured")},
    ):
        answer = box_office.hear(event, **changes)
        assert (answer.status_code, answer.json["code"]) == (400, "WEBHOOK_NOT_VERIFIED")
    too_large = box_office.hear(event, body="x" * 300_000)
    assert too_large.status_code == 413
    box_office.work()
    assert box_office.status(booking) is PENDING


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{",
        '{"event": "x", "payload": []}',
        '{"event": "payment.captured", "payload": {"payment": {"entity": {"order_id": 7}}}}',
        '{"event": "payment.captured", "payload": {"payment": {"entity": {"order_id": "o_1"}}}}',
        '{"event": "refund.failed", "payload": {"refund": {"entity": {"payment_id": "p_1"}}}}',
        "[" * 5_000,
    ],
)
def test_signed_news_of_nothing_we_know_are_taken_in_and_change_nothing(
    box_office: BoxOffice, body: str
) -> None:
    secret = MERCHANT.webhook_secret.encode()
    signature = hmac.new(secret, body.encode(), hashlib.sha256).hexdigest()

    answer = box_office.hear({"body": body, "signature": signature})
    again = box_office.hear({"body": body, "signature": signature})
    box_office.work()

    assert (answer.status_code, again.status_code) == (200, 200)
    with box_office.use.read() as tx:
        assert tx.payment_news.lag() == timedelta()

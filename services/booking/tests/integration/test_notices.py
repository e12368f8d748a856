"""Buyers are told by mail what became of their bookings: once, and whoever is killed meanwhile."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.fernet import Fernet
from services.booking.tests.conftest import ERASURE_KEY
from services.booking.tests.integration.conftest import serving
from services.booking.tests.integration.test_purge import trace

from booking_service.clients.people import PeopleClient
from booking_service.domain.bookings import Booking
from booking_service.domain.cancellations import CancellationOrder
from booking_service.repositories.notices import first_id_of as id_at
from booking_service.usecases import tell_buyers
from booking_service.usecases.cancel_booking import cancel_booking
from booking_service.usecases.cancel_bookings_of_show import cancel_bookings_of_show
from booking_service.usecases.cancel_show import cancel_show
from booking_service.usecases.confirm_booking import confirm_booking
from booking_service.usecases.fence_person import fence_person
from booking_service.usecases.lift_fence import lift_fence
from booking_service.usecases.open_payment import open_payment
from booking_service.usecases.purge_person import purge_person
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.usecases.settle_order import settle_order
from booking_service.usecases.settle_refunds import send_refund
from booking_service.usecases.tell_buyers import find_missed_sales, gather_notices, send_notices
from booking_service.wiring import Wiring
from devstack.ports import free_ports
from devstack.processes import service_folder
from devstack.testing import Databases, eventually
from fakes.razorpay.testing import Simulator
from mail_catcher import MailCatcher, mail_catcher
from service_kit.mail import MailDeferred, MailSettings, Post
from service_kit.peers import Peer, PeerUnavailable

ShowFactory = Callable[..., UUID]
HoldFactory = Callable[..., Booking]

SENDER = "tickets@comedy.example"


class Identity(ThreadingHTTPServer):
    """Who knows people's addresses, as far as booking asks."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.emails: dict[UUID, str] = {}
        self.away = False
        self.url = f"http://127.0.0.1:{self.server_port}"

    def somebody(self) -> UUID:
        person_id = uuid4()
        self.emails[person_id] = f"{person_id.hex}@example.org"
        return person_id


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        identity = cast("Identity", self.server)
        asked = parse_qs(urlsplit(self.path).query).get("ids", [""])[0].split(",")
        found = [
            {"id": each, "email": email, "name": None, "organizerName": None, "stageName": None}
            for each in asked
            if (email := identity.emails.get(UUID(each)))
        ]
        self._answer(503 if identity.away else 200, {"contacts": found})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, {"access_token": "any", "expires_in": 300, "token_type": "Bearer"})

    def _answer(self, status: int, body: Any) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass
class Desk:
    """A worker's part, done by hand: what it gathers, and the batches that it sends."""

    use: Wiring
    identity: Identity
    mails: MailCatcher
    people: PeopleClient
    post: Post

    def book(self, show_id: UUID, *, buyer_id: UUID | None = None, quantity: int = 1) -> Booking:
        return reserve_tickets(
            self.use.box_office,
            self.use.fees,
            self.use.rules,
            show_id=show_id,
            buyer_id=buyer_id or self.identity.somebody(),
            quantity=quantity,
        )

    def gathered(self) -> list[UUID]:
        """Gather what there is to tell, and return the batches that are to be sent."""
        gather_notices(self.use.begin)
        with self.use.engine.begin() as connection:
            work = connection.exec_driver_sql(
                "DELETE FROM booking_workflows.workflow_status"
                " WHERE queue_name = 'mail' RETURNING workflow_uuid"
            )
            return [UUID(name.partition(":")[2]) for name in work.scalars()]

    def send(self, batch_id: UUID) -> None:
        send_notices(self.use.begin, self.people, self.post, batch_id=batch_id)

    def tell(self) -> None:
        while batches := self.gathered():
            for batch_id in batches:
                self.send(batch_id)

    def mails_to(self, buyer_id: UUID) -> list[EmailMessage]:
        return self.mails.to(self.identity.emails[buyer_id])

    def subjects(self, buyer_id: UUID) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails_to(buyer_id)]

    def outcomes(self, booking: Booking) -> list[tuple[str, str | None]]:
        with self.use.engine.connect() as connection:
            found = connection.exec_driver_sql(
                "SELECT kind::text, outcome::text FROM booking.notice WHERE booking_id = %s"
                " ORDER BY id",
                (booking.id,),
            )
            return [(kind, outcome) for kind, outcome in found]


@pytest.fixture(scope="module")
def identity() -> Iterator[Identity]:
    with serving(server := Identity()):
        yield server


@pytest.fixture(scope="module")
def mails() -> Iterator[MailCatcher]:
    with mail_catcher() as catcher:
        yield catcher


@pytest.fixture
def owner(databases: Databases) -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(databases.of("booking").owner_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def desk(
    use: Wiring, identity: Identity, mails: MailCatcher, owner: "psycopg.Connection[Any]"
) -> Desk:
    """A worker to whom what other tests have sold is nothing new."""
    owner.execute("UPDATE booking.notice_scan SET began_at = clock_timestamp()")
    owner.execute(
        "UPDATE booking.notice SET batch_id = id, outcome = 'VOID', done_at = now()"
        " WHERE done_at IS NULL"
    )
    settings = MailSettings(mails.url, SENDER, "", needs_tls=False)
    people = PeopleClient(Peer("identity", identity.url, None))
    return Desk(use, identity, mails, people, Post("booking_service", settings))


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return "\n".join(body.get_content().splitlines())


def html_of(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def capture(use: Wiring, booking: Booking) -> None:
    with use.begin() as tx:
        confirm_booking(tx, use.rules.current().limits, booking_id=booking.id)


# What buyers are told.


def test_a_buyer_is_told_once_of_a_booking(desk: Desk, show_with: ShowFactory) -> None:
    buyer_id = desk.identity.somebody()
    show_id = show_with(
        title='Nights & <b>Days</b>"\r\nBcc: everybody@example.org',
        starts_at=datetime(2036, 1, 4, 14, 30, tzinfo=UTC),
    )
    booking = desk.book(show_id, buyer_id=buyer_id, quantity=3)

    desk.tell()
    desk.tell()

    (mail,) = desk.mails_to(buyer_id)
    assert mail["Subject"] == 'Booked: Nights & <b>Days</b>" Bcc: everybody@example.org'
    assert mail["Bcc"] is None
    for told in (
        "Friday, 4 January 2036, 8:00 pm IST",
        "The Comedy Cellar, Hyderabad",
        f"3 tickets, booking {booking.id}\n\nTickets ₹1,497.00\n",
        "Convenience fee ₹134.73",
        "Total ₹1,631.73, to be paid at the venue",
    ):
        assert told in text_of(mail)
    assert "Nights &amp; &lt;b&gt;Days&lt;/b&gt;" in html_of(mail)
    assert "To be paid at the venue." in html_of(mail)
    assert desk.outcomes(booking) == [("BOOKED", "SENT")]


def test_of_a_free_booking_no_price_is_told(desk: Desk, show_with: ShowFactory) -> None:
    buyer_id = desk.identity.somebody()
    desk.book(show_with(price_paise=0), buyer_id=buyer_id)

    desk.tell()

    (mail,) = desk.mails_to(buyer_id)
    assert "There is nothing to pay." in text_of(mail)
    assert "₹" not in text_of(mail) + html_of(mail)


def test_who_has_not_paid_yet_is_told_of_nothing_and_who_has_once(
    desk: Desk, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id, waiting, paying = show_with(), desk.identity.somebody(), desk.identity.somebody()
    hold(show_id, buyer_id=waiting)
    paid = hold(show_id, buyer_id=paying)
    desk.tell()
    assert desk.subjects(waiting) == desk.subjects(paying) == []

    capture(desk.use, paid)
    desk.tell()

    (mail,) = desk.mails_to(paying)
    assert "Total ₹543.91, paid" in text_of(mail)
    assert desk.subjects(waiting) == []


def test_who_gives_a_booking_up_is_told_what_comes_back(
    desk: Desk, show_with: ShowFactory, hold: HoldFactory
) -> None:
    soon = show_with(starts_at=datetime.now(UTC) + timedelta(hours=2))
    paid, paid_late, unpaid = people = [desk.identity.somebody() for _ in range(3)]
    show_id = show_with()
    bookings = [hold(show_id, buyer_id=paid), hold(soon, buyer_id=paid_late)]
    for booking in bookings:
        capture(desk.use, booking)
    bookings.append(desk.book(show_id, buyer_id=unpaid))
    desk.tell()

    for buyer_id, booking in zip(people, bookings, strict=True):
        for _ in range(2):
            cancel_booking(desk.use.begin, buyer_id=buyer_id, booking_id=booking.id)
    desk.tell()

    told = [desk.mails_to(buyer_id)[1:] for buyer_id in people]
    assert [len(mails) for mails in told] == [1, 1, 1]
    assert [mails[0]["Subject"] for mails in told] == ["Cancelled: Open Mic"] * 3
    for mails, words in zip(
        told,
        (
            "₹499.00 goes back to where you paid from.",
            "Under the refund policy of your booking nothing is paid back.",
            "There was nothing to pay back.",
        ),
        strict=True,
    ):
        assert words in text_of(mails[0])
        assert words.partition(" ")[2] in html_of(mails[0])


def test_of_a_hold_that_is_given_up_nobody_is_told(
    desk: Desk, show_with: ShowFactory, hold: HoldFactory
) -> None:
    buyer_id, show_id = desk.identity.somebody(), show_with()
    booking = hold(show_id, buyer_id=buyer_id)
    other = hold(show_id, buyer_id=buyer_id)

    cancel_booking(desk.use.begin, buyer_id=buyer_id, booking_id=booking.id)
    cancel_show(desk.use.begin, order=CancellationOrder(show_id, 2, "Ill", uuid4()))
    cancel_bookings_of_show(desk.use.begin, show_id=show_id)
    desk.tell()

    assert desk.subjects(buyer_id) == []
    assert desk.outcomes(booking) == desk.outcomes(other) == []


def test_nobody_is_told_of_a_booking_that_is_over_again(desk: Desk, show_with: ShowFactory) -> None:
    early, late = desk.identity.somebody(), desk.identity.somebody()
    show_id = show_with()
    bookings = [desk.book(show_id, buyer_id=each) for each in (early, late)]
    cancel_booking(desk.use.begin, buyer_id=early, booking_id=bookings[0].id)
    batches = desk.gathered()
    cancel_booking(desk.use.begin, buyer_id=late, booking_id=bookings[1].id)
    for batch_id in batches:
        desk.send(batch_id)
    desk.tell()

    assert desk.subjects(early) == desk.subjects(late) == ["Cancelled: Open Mic"]
    assert desk.outcomes(bookings[1]) == [("BOOKED", "VOID"), ("CANCELLED", "SENT")]


def test_all_buyers_of_a_show_that_is_cancelled_are_told_but_not_all_at_once(
    desk: Desk, show_with: ShowFactory, hold: HoldFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tell_buyers, "BATCH", 3)
    monkeypatch.setattr(tell_buyers, "BATCHES_UNDER_WAY", 2)
    show_id, people = show_with(), [desk.identity.somebody() for _ in range(8)]
    paid = hold(show_id, buyer_id=people[0])
    capture(desk.use, paid)
    for buyer_id in people[1:]:
        desk.book(show_id, buyer_id=buyer_id)
    desk.tell()
    cancel_show(desk.use.begin, order=CancellationOrder(show_id, 2, "Ill", uuid4()))
    cancel_bookings_of_show(desk.use.begin, show_id=show_id)

    batches = [batch for _ in range(4) for batch in desk.gathered()]
    assert len(batches) == 2  # a third waits until these are sent
    for batch_id in batches:
        desk.send(batch_id)
    assert sum(len(desk.subjects(each)) == 2 for each in people) == 6
    desk.tell()

    for buyer_id in people:
        assert desk.subjects(buyer_id) == ["Booked: Open Mic", "The show is cancelled: Open Mic"]
    assert "All you paid, ₹543.91, goes back" in text_of(desk.mails_to(people[0])[1])
    assert "You have paid nothing" in text_of(desk.mails_to(people[1])[1])


def test_a_buyer_is_told_once_that_a_refund_is_on_its_way(
    desk: Desk, online: Wiring, provider: Simulator, show_with: ShowFactory, hold: HoldFactory
) -> None:
    buyer_id = desk.identity.somebody()
    booking = hold(show_with(), buyer_id=buyer_id)
    order = open_payment(online.desk, booking=booking, key=None)
    provider.pay(order.id)
    settle_order(online.desk, order_id=order.id)
    desk.tell()
    cancel_booking(desk.use.begin, buyer_id=buyer_id, booking_id=booking.id)

    for _ in range(2):
        for refund_id in refunds_of(desk.use, booking):
            send_refund(online.desk, refund_id=refund_id)
        desk.tell()

    *_, refunded = desk.mails_to(buyer_id)
    assert desk.subjects(buyer_id) == [
        "Booked: Open Mic",
        "Cancelled: Open Mic",
        "Refund of ₹499.00: Open Mic",
    ]
    assert "₹499.00 is on its way back to where you paid from." in text_of(refunded)
    assert "its tickets are void" in html_of(refunded)


# Who is not told.


def test_whose_account_is_closed_or_gone_is_told_of_nothing(
    desk: Desk, show_with: ShowFactory
) -> None:
    closed, gone, unknown = (
        desk.identity.somebody(),
        desk.identity.somebody(),
        uuid4(),
    )
    bookings = [desk.book(show_with(), buyer_id=each) for each in (closed, gone, unknown)]
    (batch_id,) = desk.gathered()
    saga_id = uuid4()
    fence_person(desk.use.begin, saga_id=saga_id, person_id=closed)
    purge_person(desk.use.begin, saga_id=uuid4(), person_id=gone)

    desk.send(batch_id)
    lift_fence(desk.use.begin, saga_id=saga_id, person_id=closed)
    desk.tell()

    assert desk.subjects(closed) == desk.subjects(gone) == []
    assert [desk.outcomes(each) for each in bookings] == [[("BOOKED", "VOID")]] * 3


def test_what_was_sold_before_there_were_notices_is_not_told(
    desk: Desk, show_with: ShowFactory, owner: "psycopg.Connection[Any]"
) -> None:
    booking = desk.book(show_with())
    owner.execute("UPDATE booking.notice_scan SET began_at = clock_timestamp()")

    desk.tell()

    assert desk.outcomes(booking) == []


def test_of_a_person_nothing_is_stored_on_the_way(desk: Desk, show_with: ShowFactory) -> None:
    buyer_id = desk.identity.somebody()
    desk.book(show_with(), buyer_id=buyer_id)
    gather_notices(desk.use.begin)

    assert trace(desk.use, desk.identity.emails[buyer_id]) == []
    assert [name for name in trace(desk.use, buyer_id) if "workflow" in name] == []
    desk.tell()
    assert trace(desk.use, desk.identity.emails[buyer_id]) == []


def test_in_a_rush_each_look_begins_where_the_last_one_ended(
    desk: Desk, show_with: ShowFactory, owner: "psycopg.Connection[Any]"
) -> None:
    owner.execute("UPDATE booking.notice_scan SET found_until = clock_timestamp()")
    show_id = show_with()
    booked = [desk.book(show_id).id for _ in range(5)]

    told, reached = [], []
    for _ in range(3):
        with desk.use.begin() as tx:
            told.append(tx.notices.write_of_sales(look_back=timedelta(), limit=2))
        looked = owner.execute("SELECT found_until FROM booking.notice_scan").fetchone()
        assert looked is not None
        reached.append(sum(each < id_at(looked[0]) for each in booked))

    assert told == [2, 2, 1]
    assert 0 < reached[0] < reached[1] < reached[2] == 5


# What goes wrong.


def test_a_sale_of_a_process_whose_clock_is_wrong_is_found(
    desk: Desk, show_with: ShowFactory, owner: "psycopg.Connection[Any]"
) -> None:
    slow, fast = (desk.book(show_with()) for _ in range(2))
    hours = timedelta(hours=2)
    for booking, off in ((slow, -hours), (fast, hours)):
        wrong = UUID(int=(id_at(datetime.now(UTC) + off)).int | (booking.id.int & (2**80 - 1)))
        owner.execute("UPDATE booking.booking SET id = %s WHERE id = %s", (wrong, booking.id))

    find_missed_sales(desk.use.begin)

    with desk.use.engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT count(*) FROM booking.notice JOIN booking.booking AS b ON b.id = booking_id"
            " WHERE b.show_id = ANY (%s)",
            ([slow.show.id, fast.show.id],),
        )
        assert found.scalar_one() == 2


def test_what_cannot_be_sent_is_sent_when_it_can(desk: Desk, show_with: ShowFactory) -> None:
    buyer_id = desk.identity.somebody()
    booking = desk.book(show_with(), buyer_id=buyer_id)
    (batch_id,) = desk.gathered()
    nobody = MailSettings("smtp://127.0.0.1:9", SENDER, "", needs_tls=False)

    desk.identity.away = True
    with pytest.raises(PeerUnavailable, match="identity"):
        desk.send(batch_id)
    desk.identity.away = False
    with pytest.raises(PeerUnavailable, match="mail server"):
        replace(desk, post=Post("booking_service", nobody)).send(batch_id)
    assert desk.outcomes(booking) == [("BOOKED", None)]
    with desk.use.read() as tx:
        assert tx.notices.age_of_oldest() > timedelta()

    desk.send(batch_id)

    assert desk.subjects(buyer_id) == ["Booked: Open Mic"]
    with desk.use.read() as tx:
        assert tx.notices.age_of_oldest() == timedelta()


def test_one_address_that_takes_no_mail_keeps_none_from_another(
    desk: Desk, show_with: ShowFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing, deferring, other = people = [desk.identity.somebody() for _ in range(3)]
    desk.mails.answers[desk.identity.emails[refusing]] = "550 no such user"
    desk.mails.answers[desk.identity.emails[deferring]] = "451 greylisted"
    show_id = show_with()
    bookings = [desk.book(show_id, buyer_id=each) for each in people]
    (batch_id,) = desk.gathered()

    with pytest.raises(MailDeferred):
        desk.send(batch_id)
    assert desk.subjects(other) == ["Booked: Open Mic"]
    assert [desk.outcomes(each)[0][1] for each in bookings] == ["REFUSED", None, "SENT"]

    monkeypatch.setattr(tell_buyers, "PATIENCE", timedelta())
    desk.send(batch_id)
    assert desk.outcomes(bookings[1]) == [("BOOKED", "REFUSED")]
    assert desk.subjects(other) == ["Booked: Open Mic"]


def test_several_workers_tell_of_everything_once(desk: Desk, show_with: ShowFactory) -> None:
    show_id, people = show_with(), [desk.identity.somebody() for _ in range(6)]
    for buyer_id in people:
        desk.book(show_id, buyer_id=buyer_id)

    with ThreadPoolExecutor(max_workers=4) as workers:
        list(workers.map(lambda _: gather_notices(desk.use.begin), range(8)))
    desk.tell()

    assert [desk.subjects(each) for each in people] == [["Booked: Open Mic"]] * 6


def test_a_mail_that_was_being_sent_when_the_worker_was_killed_is_known_for_the_same(
    desk: Desk, databases: Databases, show_with: ShowFactory
) -> None:
    show_id, people = show_with(), [desk.identity.somebody() for _ in range(3)]
    for buyer_id in people:
        desk.book(show_id, buyer_id=buyer_id)

    second = desk.identity.emails[people[1]]
    with (
        desk.mails.holding_back_its_answer_to(second) as taken,
        worker(desk, databases) as killed,
    ):
        assert taken.wait(60)
        killed.kill()
        killed.wait()
    with worker(desk, databases):
        eventually(lambda: bool(desk.mails_to(people[2])), seconds=60)
        eventually(lambda: unsent(desk.use) == 0)

    assert [len(desk.mails_to(each)) for each in people] == [1, 2, 1]
    once, again = desk.mails_to(people[1])
    assert once["Message-ID"] == again["Message-ID"]


@contextmanager
def worker(desk: Desk, databases: Databases) -> Iterator["subprocess.Popen[bytes]"]:
    """Booking's worker as a process of its own."""
    environment = {
        **os.environ,
        "ENV": "development",
        "DATABASE_URL": databases.of("booking").url,
        "IDENTITY_URL": desk.identity.url,
        "CONFIG_URL": "http://127.0.0.1:9",
        "TICKET_KEY_ENCRYPTION_KEY": Fernet.generate_key().decode(),
        "ERASURE_KEY": ERASURE_KEY,
        "JWT_ISSUER": desk.identity.url,
        "SERVICE_CLIENT_SECRET": "not needed here, but long enough",
        "WORKER_ID": "telling-worker",
        "WORKER_PORT": str(free_ports(["WORKER"])["WORKER"]),
        "MAIL_URL": desk.mails.url,
        "MAIL_FROM": SENDER,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "booking_service.worker"],
        cwd=service_folder("booking"),
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def unsent(use: Wiring) -> int:
    with use.engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT count(*) FROM booking.notice WHERE done_at IS NULL"
        )
        return int(found.scalar_one())


def refunds_of(use: Wiring, booking: Booking) -> list[UUID]:
    with use.engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT id FROM booking.refund WHERE booking_id = %s ORDER BY id", (booking.id,)
        )
        return list(found.scalars())

"""Records of people who are gone: kept as long as they must be, and no longer."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from booking_service.domain.bookings import Booking
from booking_service.domain.deletions import Outcome
from booking_service.domain.errors import HasBookings
from booking_service.domain.limits import BookingLimits
from booking_service.domain.ticket_codes import Seat
from booking_service.domain.tickets import Admission
from booking_service.usecases import discard_old_bookings as discarding
from booking_service.usecases.cancel_booking import cancel_booking
from booking_service.usecases.confirm_booking import confirm_booking
from booking_service.usecases.delete_offer import delete_offer
from booking_service.usecases.disburse import disburse
from booking_service.usecases.discard_old_bookings import discard_old_bookings
from booking_service.usecases.purge_person import purge_person
from booking_service.usecases.put_offer import put_offer
from booking_service.wiring import Wiring
from check_invariants import INVARIANTS
from devstack.testing import Databases

ShowFactory = Callable[..., UUID]
HoldFactory = Callable[..., Booking]

BOOKED = datetime(2016, 6, 1, tzinfo=UTC)
KEPT_UNTIL = datetime(2025, 3, 31, 18, 30, tzinfo=UTC)  # eight years after March 2017, in India
BEFORE, AFTER = KEPT_UNTIL - timedelta(seconds=1), KEPT_UNTIL
TICKETS, EARNED = 49_900, 49_900 - 3_992  # of one ticket, less 8 %


@dataclass
class Archive:
    """A show that ended long ago, and what is left of those who booked it."""

    use: Wiring
    owner: "psycopg.Connection[Any]"
    hold: HoldFactory
    show_id: UUID

    def buy(self, *, buyer_id: UUID | None = None, captured: bool = True) -> Booking:
        booking = self.hold(self.show_id, buyer_id=buyer_id, ended=not captured)
        if captured:
            with self.use.begin() as tx:
                confirm_booking(tx, BookingLimits(10, 10), booking_id=booking.id)
        return booking

    def give_up(self, booking: Booking, buyer_id: UUID) -> None:
        cancel_booking(self.use.begin, buyer_id=buyer_id, booking_id=booking.id)
        self.owner.execute(
            "UPDATE booking.refund SET status = 'DONE' WHERE booking_id = %s", (booking.id,)
        )

    def order(self, booking: Booking) -> str:
        """Have a booking's order, payment and news, all of them settled."""
        order_id = f"order_{booking.id.hex}"
        self.owner.execute(
            "INSERT INTO booking.payment_order (order_id, booking_id, provider, key_id,"
            " amount_paise, currency) VALUES (%s, %s, 'razorpay', 'key', 54391, 'INR')",
            (order_id, booking.id),
        )
        self.owner.execute(
            "INSERT INTO booking.payment (payment_id, order_id, amount_paise, currency, status,"
            " verdict) VALUES (%s, %s, 54391, 'INR', 'CAPTURED', 'CONFIRMED')",
            (f"pay_{booking.id.hex}", order_id),
        )
        self.owner.execute(
            "INSERT INTO booking.payment_news (id, digest, event, order_id, handled_at)"
            " VALUES (gen_random_uuid(), %s, 'payment.captured', %s, now())",
            (order_id, order_id),
        )
        return order_id

    def admit(self, booking: Booking) -> None:
        with self.use.begin() as tx:
            seat = Seat(booking.id, self.show_id, 1, paid=True)
            tx.admissions.add(seat, Admission(datetime.now(UTC), nonce="n", by_admin=False))

    def end(self) -> None:
        with self.use.read() as tx:
            show = tx.inventory.of(self.show_id)
        assert show is not None
        starts_at = datetime.now(UTC) - timedelta(days=1)
        offer = replace(show.offer, version=show.offer.version + 1, starts_at=starts_at)
        put_offer(self.use.begin, offer=offer)
        self.owner.execute(
            "UPDATE booking.ticket_inventory SET starts_at = %s WHERE show_id = %s",
            (BOOKED + timedelta(days=7), self.show_id),
        )

    def forget(self, person_id: UUID) -> None:
        """Have somebody's bookings made long ago, and the person deleted."""
        self.owner.execute(
            "UPDATE booking.booking SET created_at = %s WHERE user_id = %s", (BOOKED, person_id)
        )
        answer = purge_person(self.use.begin, saga_id=uuid4(), person_id=person_id)
        assert answer.state is Outcome.PURGED

    def rows(self, table: str, column: str = "show_id", value: object = None) -> int:
        found = self.owner.execute(
            f"SELECT count(*) FROM booking.{table} WHERE {column} = %s",  # noqa: S608
            (value or self.show_id,),
        ).fetchone()
        return int(found[0]) if found else 0

    def ledger(self) -> list[tuple[Any, ...]]:
        return self.owner.execute(
            "SELECT kind, ticket_paise, platform_fee_paise, paid_out_paise"
            " FROM booking.ledger_entry WHERE show_id = %s ORDER BY kind, id",
            (self.show_id,),
        ).fetchall()

    def balance(self) -> int:
        with self.use.read() as tx:
            return tx.ledger.balance(self.show_id)

    def seats(self) -> tuple[int, int, int]:
        with self.use.read() as tx:
            show = tx.inventory.of(self.show_id)
        assert show is not None
        return show.available, show.locked, show.sold

    def discard(self, now: datetime = AFTER) -> int:
        """Discard what is old, and count what is missing of this show."""
        before = self.rows("booking")
        discard_old_bookings(self.use.begin, now=now)
        return before - self.rows("booking")

    def contradictions(self) -> list[Any]:
        """Return what of this show contradicts the invariants."""
        with self.use.engine.connect() as connection:
            return [
                (invariant.name, row)
                for invariant in INVARIANTS
                if invariant.name in {"I1", "I2", "I6", "I12", "I14", "I20"}
                and "config." not in invariant.violations
                for row in connection.exec_driver_sql(invariant.violations)
                if self.show_id in row
            ]


@pytest.fixture
def archive(
    use: Wiring, databases: Databases, show_with: ShowFactory, hold: HoldFactory
) -> Iterator[Archive]:
    with psycopg.connect(databases.of("booking").owner_url, autocommit=True) as owner:
        yield Archive(use, owner, hold, show_with(capacity=10))


def test_a_booking_goes_with_all_that_hangs_on_it(archive: Archive) -> None:
    person_id = uuid4()
    used, given_up, failed = (
        archive.buy(buyer_id=person_id),
        archive.buy(buyer_id=person_id),
        archive.buy(buyer_id=person_id, captured=False),
    )
    archive.give_up(given_up, person_id)
    archive.admit(used)
    orders = [archive.order(each) for each in (used, given_up)]
    archive.end()
    archive.forget(person_id)
    assert archive.seats() == (9, 0, 1)

    assert archive.discard() == 3

    for table in ("booking_move", "refund", "payment_order", "admission"):
        for booking in (used, given_up, failed):
            assert archive.rows(table, "booking_id", booking.id) == 0
    for table in ("payment", "payment_news"):
        for order_id in orders:
            assert archive.rows(table, "order_id", order_id) == 0
    assert archive.rows("buyer_show") == 0
    assert archive.seats() == (10, 0, 0)
    assert archive.ledger() == [("BROUGHT_FORWARD", TICKETS, 3_992, 0)]
    assert archive.balance() == EARNED
    assert archive.contradictions() == []


def test_nothing_goes_before_its_time(archive: Archive) -> None:
    person_id, recent = uuid4(), uuid4()
    archive.buy(buyer_id=person_id)
    archive.buy(buyer_id=recent)
    archive.end()
    archive.forget(person_id)
    purge_person(archive.use.begin, saga_id=uuid4(), person_id=recent)

    assert archive.discard(BEFORE) == 0
    assert archive.discard(AFTER) == 1
    assert archive.discard(datetime(2100, 1, 1, tzinfo=UTC)) == 0
    assert archive.contradictions() == []


def test_the_databases_clock_is_used_if_nobody_says_otherwise(archive: Archive) -> None:
    person_id = uuid4()
    archive.buy(buyer_id=person_id)
    archive.end()
    archive.forget(person_id)

    discard_old_bookings(archive.use.begin)

    assert archive.rows("booking") == 0


def test_bookings_of_people_who_are_there_are_kept_for_ever(archive: Archive) -> None:
    archive.buy()
    archive.end()
    archive.owner.execute(
        "UPDATE booking.booking SET created_at = %s WHERE show_id = %s", (BOOKED, archive.show_id)
    )

    assert archive.discard() == 0


@pytest.mark.parametrize(
    ("unsettled", "settled"),
    [
        (
            "UPDATE booking.refund SET status = 'SENT' WHERE booking_id = %s",
            "UPDATE booking.refund SET status = 'DONE' WHERE booking_id = %s",
        ),
        (
            "UPDATE booking.payment_order SET check_at = now() WHERE booking_id = %s",
            "UPDATE booking.payment_order SET check_at = NULL WHERE booking_id = %s",
        ),
        (
            "UPDATE booking.payment_news SET handled_at = NULL WHERE order_id ="
            " (SELECT order_id FROM booking.payment_order WHERE booking_id = %s)",
            "UPDATE booking.payment_news SET handled_at = now() WHERE order_id ="
            " (SELECT order_id FROM booking.payment_order WHERE booking_id = %s)",
        ),
    ],
    ids=["a refund", "an order", "news"],
)
def test_what_is_not_settled_stays(unsettled: str, settled: str, archive: Archive) -> None:
    person_id = uuid4()
    booking = archive.buy(buyer_id=person_id)
    archive.give_up(booking, person_id)
    archive.order(booking)
    archive.end()
    archive.forget(person_id)

    archive.owner.execute(unsettled, (booking.id,))
    assert archive.discard() == 0
    archive.owner.execute(settled, (booking.id,))
    assert archive.discard() == 1


def test_a_show_that_has_not_ended_keeps_its_bookings(archive: Archive) -> None:
    person_id = uuid4()
    archive.admit(archive.buy(buyer_id=person_id))
    archive.forget(person_id)

    assert archive.discard() == 0


def test_others_and_their_money_stay_as_they_are(archive: Archive) -> None:
    gone, there = uuid4(), uuid4()
    kept = archive.buy(buyer_id=there)
    archive.buy(buyer_id=gone)
    archive.end()
    disburse(archive.use.begin, show_id=archive.show_id, actor_id=uuid4())
    archive.forget(gone)

    assert archive.discard() == 1

    assert archive.rows("booking", "id", kept.id) == 1
    assert archive.ledger() == [
        ("CAPTURE", TICKETS, 3_992, 0),
        ("DISBURSEMENT", 0, 0, 2 * EARNED),
        ("BROUGHT_FORWARD", TICKETS, 3_992, 0),
    ]
    assert (archive.balance(), archive.seats()) == (0, (9, 0, 1))
    assert archive.contradictions() == []


def test_what_goes_later_is_added_to_what_went_before(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discarding, "SHOWS_AT_ONCE", 1)
    monkeypatch.setattr(discarding, "BOOKINGS_AT_ONCE", 2)
    first, second = uuid4(), uuid4()
    for buyer_id in (first, first, first, second):
        archive.buy(buyer_id=buyer_id)
    archive.end()
    for person_id in (first, second):
        archive.forget(person_id)
        archive.discard()

    assert archive.rows("booking") == 0
    assert archive.ledger() == [("BROUGHT_FORWARD", 4 * TICKETS, 4 * 3_992, 0)]
    assert archive.balance() == 4 * EARNED
    assert archive.contradictions() == []


def test_two_workers_discard_each_booking_once(archive: Archive) -> None:
    person_id = uuid4()
    for _ in range(4):
        archive.buy(buyer_id=person_id)
    archive.end()
    archive.forget(person_id)

    with ThreadPoolExecutor(3) as workers:
        list(workers.map(lambda _: discard_old_bookings(archive.use.begin), range(3)))

    assert archive.ledger() == [("BROUGHT_FORWARD", 4 * TICKETS, 4 * 3_992, 0)]
    assert archive.seats() == (10, 0, 0)


def test_a_show_of_which_only_the_ledger_is_left_is_not_deleted(archive: Archive) -> None:
    person_id = uuid4()
    archive.buy(buyer_id=person_id)
    archive.end()
    archive.forget(person_id)
    archive.discard()

    with pytest.raises(HasBookings):
        delete_offer(archive.use.begin, show_id=archive.show_id, version=99)

"""With 120,000 bookings of 300 shows, a page reads what it shows and little more.

Plans and counts of rows only: nothing here depends on how fast the machine is. A million bookings
of a thousand shows have the same plans, and take too long to write here.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from booking_service.repositories.cancellations import CancellationRepository
from booking_service.repositories.money_views import MoneyViewRepository
from booking_service.repositories.support import SupportRepository
from devstack.plans import Node, database_of_its_own, explained, read_whole, rows_looked_at
from devstack.testing import Databases

SHOWS = 300
EACH = 400
PAGE = 20
MOST_ROWS = 4_000  # that a page may look at, in tables and indexes: of 30 bookings one

# Ids grow with time, as version 7 does; shows are sold one after the other, some at the same time.
# A third is paid, one in a hundred of these late.
FILL = f"""
SET session_replication_role = replica;
INSERT INTO booking.ticket_inventory (
    show_id, capacity, available, sold, version, creator_id, title, venue, city, starts_at,
    duration_minutes, price_paise, on_sale
)
SELECT md5('show ' || s)::uuid, {EACH}, 0, {EACH}, 1, md5('creator ' || s % 100)::uuid,
    'Comedy Night number ' || s || '.', 'x', 'x', now() + (s - 200) * interval '1 day', 60, 100,
    true
FROM generate_series(1, {SHOWS}) AS s;
INSERT INTO booking.booking (
    id, show_id, user_id, quantity, unit_price_paise, ticket_total_paise,
    convenience_fee_basis_points, convenience_fee_paise, platform_fee_basis_points,
    platform_fee_paise, fee_schedule_version, status
)
SELECT
    (lpad(to_hex(s * 1000 + n * 7), 8, '0') || '-0000-7000-8000-' || lpad(s::text, 12, '0'))::uuid,
    md5('show ' || s)::uuid, md5('buyer ' || (s * 7919 + n) % 5000)::uuid,
    1, 100, 100, 0, 7, 0, 8, 1,
    (CASE n % 3 WHEN 0 THEN 'CONFIRMED' ELSE 'CONFIRMED_UNPAID' END)::booking.booking_status
FROM generate_series(1, {SHOWS}) AS s, generate_series(1, {EACH}) AS n;
INSERT INTO booking.payment_order (order_id, booking_id, provider, key_id, amount_paise, currency)
SELECT 'order_' || md5(id::text), id, 'razorpay', 'key', 107, 'INR'
FROM booking.booking WHERE status = 'CONFIRMED';
INSERT INTO booking.payment (payment_id, order_id, amount_paise, currency, status, verdict)
SELECT 'pay_' || booking_id, order_id, 107, 'INR', 'CAPTURED', 'CONFIRMED'
FROM booking.payment_order;
INSERT INTO booking.booking_move (booking_id, from_status, to_status)
SELECT id, (CASE row_number() OVER () % 100 WHEN 0 THEN 'FAILED' ELSE 'PENDING' END)
    ::booking.booking_status, 'CONFIRMED'
FROM booking.booking WHERE status = 'CONFIRMED';
INSERT INTO booking.ledger_entry (show_id, booking_id, kind, ticket_paise, platform_fee_paise)
SELECT show_id, id, 'CAPTURE', 100, 8 FROM booking.booking WHERE status = 'CONFIRMED';
"""  # noqa: S608 numbers of our own
FILLED = ("ticket_inventory", "booking", "payment_order", "payment", "booking_move", "ledger_entry")
OF_OLD_SHOW = "SELECT id FROM booking.booking WHERE show_id = md5('show 1')::uuid AND status = %s"

Read = Callable[[Session], object]


@pytest.fixture(scope="module")
def engine(databases: Databases) -> Iterator[Engine]:
    """A database of this module's own, with booking's schema and many bookings."""
    with database_of_its_own(databases, "booking") as url_of:
        with psycopg.connect(url_of("postgres"), autocommit=True) as connection:
            connection.execute(FILL)
            for table in FILLED:
                connection.execute(f"VACUUM ANALYZE booking.{table}")
        owner_url = url_of("booking_owner")
        engine = create_engine(owner_url.replace("postgresql://", "postgresql+psycopg://"))
        yield engine
        engine.dispose()


class Reader:
    """Reads through the repositories and says how Postgres came by it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def plans(self, read: Read) -> tuple[Any, list[Node]]:
        """Return what was read, and the nodes of the plans."""
        with Session(self._engine) as session:
            return explained(session, read)

    def value(self, query: str, *parameters: str) -> Any:
        """Return one value of the database."""
        with self._engine.connect() as connection:
            return connection.exec_driver_sql(query, parameters).scalars().first()


def _require_few(nodes: list[Node]) -> None:
    assert read_whole(nodes) <= {
        "ticket_inventory",
        "admission",
    }  # shows are few; nobody was let in
    assert rows_looked_at(nodes) <= MOST_ROWS, nodes


@pytest.fixture(scope="module")
def reader(engine: Engine) -> Reader:
    return Reader(engine)


def show(number: int) -> str:
    return f"SELECT md5('show {number}')::uuid"


def searched(wanted: str, *, buyer_ids: Sequence[UUID] = (), before: UUID | None = None) -> Read:
    return lambda session: SupportRepository(session).search(
        wanted, buyer_ids=buyer_ids, before=before, limit=PAGE
    )


def attendees(show_id: UUID, *, after: UUID | None) -> Read:
    return lambda session: MoneyViewRepository(session).attendees(show_id, after=after, limit=PAGE)


OLD_BOOKING = f"{OF_OLD_SHOW} ORDER BY id"
WANTED = {
    "an old booking": OLD_BOOKING,
    "its payment": OLD_BOOKING.replace("SELECT id", "SELECT 'pay_' || id"),
    "its order": OLD_BOOKING.replace("SELECT id", "SELECT 'order_' || md5(id::text)"),
    "an old show": show(1),
    "the newest show": show(SHOWS),
    "a title": "SELECT 'number 1.'",
    "the title of all": "SELECT 'comedy'",
}


@pytest.mark.parametrize("query", WANTED.values(), ids=WANTED)
def test_support_looks_each_key_up_in_its_own_index(reader: Reader, query: str) -> None:
    wanted = str(reader.value(query, *["CONFIRMED"] * query.count("%s")))
    before = None

    for _ in range(2):  # the first page and the one after it
        found, nodes = reader.plans(searched(wanted, before=before))

        assert found
        _require_few(nodes)
        if len(found) < PAGE:
            break
        before = found[-1].id


@pytest.mark.parametrize("wanted", [str(UUID(int=4)), "pay_unknown", "nothing like it"])
def test_support_finds_nothing_as_quickly(reader: Reader, wanted: str) -> None:
    found, nodes = reader.plans(searched(wanted))

    assert found == []
    _require_few(nodes)


def test_support_looks_people_up_in_the_index_of_buyers(reader: Reader) -> None:
    buyers = [reader.value(f"SELECT md5('buyer {n}')::uuid") for n in (1, 2)]

    found, nodes = reader.plans(searched("a@b", buyer_ids=buyers))

    assert {booking.buyer_id for booking in found} == set(buyers)
    _require_few(nodes)


@pytest.mark.parametrize("number", [1, SHOWS])
def test_attendees_are_read_a_page_at_a_time(reader: Reader, number: int) -> None:
    show_id, after = reader.value(show(number)), None

    for _ in range(2):
        found, nodes = reader.plans(attendees(show_id, after=after))

        assert len(found) == PAGE
        assert [each.booking_id for each in found] == sorted(each.booking_id for each in found)
        assert rows_looked_at(nodes) <= 3 * PAGE, nodes
        after = found[-1].booking_id


@pytest.mark.parametrize("limit", [1, PAGE])
def test_who_cancels_a_show_finds_its_bookings_at_once(reader: Reader, limit: int) -> None:
    show_id = reader.value(show(SHOWS))

    found, nodes = reader.plans(
        lambda session: CancellationRepository(session).active_bookings(show_id, limit=limit)
    )

    assert found == sorted(found)
    assert len(found) == limit
    assert rows_looked_at(nodes) <= 3 * limit, nodes


def test_the_platform_at_a_glance_is_read_from_shows(reader: Reader) -> None:
    (_, revenue), nodes = reader.plans(lambda session: MoneyViewRepository(session).statistics())

    assert revenue == SHOWS * EACH * 100
    _require_few(nodes)


def test_a_creator_and_a_show_cost_their_own_bookings(reader: Reader) -> None:
    creator_id, show_id = reader.value("SELECT md5('creator 7')::uuid"), reader.value(show(7))

    for read in (
        lambda session: MoneyViewRepository(session).shows_of(creator_id),
        lambda session: MoneyViewRepository(session).dashboard_of(creator_id),
        lambda session: MoneyViewRepository(session).collections(show_id=show_id),
    ):
        _, nodes = reader.plans(read)

        assert any(node.get("Index Name") == "ix_booking_show_id_status_id" for node in nodes)
        _require_few(nodes)


def test_collections_of_all_shows_read_each_booking_once_and_in_an_index(reader: Reader) -> None:
    _, nodes = reader.plans(lambda session: MoneyViewRepository(session).collections(show_id=None))

    (of_bookings,) = (node for node in nodes if node.get("Relation Name") == "booking")
    assert of_bookings["Node Type"] == "Index Only Scan"
    assert of_bookings["Heap Fetches"] == 0
    assert of_bookings["Actual Loops"] == SHOWS
    assert rows_looked_at(nodes) <= 2 * SHOWS * EACH

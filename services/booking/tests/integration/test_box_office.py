"""Sales share calls to the database; whatever happens to a call, each has its own outcome once."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from services.booking.tests.conftest import make_offer, patiently
from services.booking.tests.integration.test_reserve_function import CLOSE, closing
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError, TimeoutError
from uuid_utils.compat import uuid7

from booking_service.domain.bookings import Booking, BookingStatus, IdempotencyKey
from booking_service.domain.errors import AccountClosed, RequestInFlight, SoldOut
from booking_service.domain.pricing import quote
from booking_service.repositories.box_office import (
    BATCHES_AT_ONCE,
    OPERATION,
    BoxOffice,
    Order,
)
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.wiring import Wiring
from devstack.testing import Databases, eventually
from service_kit.database import connect_for_single_statements

ShowFactory = Callable[..., UUID]


def order_of(use: Wiring, show_id: UUID, *, quantity: int = 1) -> Order:
    terms = use.box_office.terms(show_id)
    assert terms is not None
    price = quote(
        unit_price_paise=terms.price_paise,
        quantity=quantity,
        schedule=use.fees.current(),
        own_platform_fee_basis_points=terms.own_platform_fee_basis_points,
    )
    return Order(
        booking_id=uuid7(),
        show_id=show_id,
        buyer_id=uuid4(),
        quote=price,
        own_platform_fee_basis_points=terms.own_platform_fee_basis_points,
        rules=use.rules.current(),
        status=BookingStatus.CONFIRMED_UNPAID,
        expected_total_paise=None,
        key=None,
    )


def sold(use: Wiring, show_id: UUID) -> int:
    with use.read() as tx:
        inventory = tx.inventory.of(show_id)
    assert inventory is not None
    return inventory.sold


LOCK_SHOW = "SELECT FROM booking.ticket_inventory WHERE show_id = %s FOR UPDATE"
LOCK_KEY = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


@contextmanager
def held(use: Wiring, statement: str, parameters: Any) -> Iterator[None]:
    """Have somebody else hold a lock inside the block."""
    with use.engine.connect() as holder:
        holder.exec_driver_sql(statement, parameters)
        yield
        holder.rollback()


def sell_together(use: Wiring, orders: Sequence[Order], *, stuck: Order) -> list[Future[Booking]]:
    """Have orders served by one call: they come while one that is stuck is waited for."""
    with ThreadPoolExecutor(max_workers=len(orders) + 1) as pool:
        pool.submit(use.box_office.reserve, stuck)
        eventually(lambda: len(waiting_sales(use)) == 1)
        return [pool.submit(use.box_office.reserve, each) for each in orders]


def buy(use: Wiring, order: Order) -> Booking:
    """Have an order served, again if a lock is not free in time: the machine may be crowded."""
    return patiently(lambda: use.box_office.reserve(order))


def outcome(sale: Future[Booking]) -> object:
    """Return the status of what was bought, or why it was not; "busy" if a lock was held."""
    failure = sale.exception()
    if isinstance(failure, TimeoutError | OperationalError):
        return "busy"
    return type(failure) if failure else sale.result().status


def waiting_sales(use: Wiring) -> list[int]:
    with use.engine.connect() as connection:
        return list(
            connection.scalars(
                text(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'booking sales'"
                    " AND wait_event_type = 'Lock' AND datname = current_database()"
                )
            )
        )


class Wire:
    """The way to Postgres; once it is told to, it drops the next reply and hangs up."""

    def __init__(self, url: str) -> None:
        there = make_url(url)
        self._to = (there.host, there.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = there.set(port=self._listener.getsockname()[1]).render_as_string(
            hide_password=False
        )
        self.drops_next_reply = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._to)
                for action in (self._ask, self._answer):
                    threading.Thread(target=action, args=(client, server), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), server:
            while data := client.recv(65_536):
                server.sendall(data)

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), client:
            while data := server.recv(65_536):
                if self.drops_next_reply.is_set():
                    self.drops_next_reply.clear()
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(data)


@pytest.fixture
def wire(databases: Databases) -> Iterator[Wire]:
    wire = Wire(databases.of("booking").url)
    yield wire
    wire.close()


@pytest.mark.parametrize("capacity", [3, 100])
def test_a_sale_whose_reply_is_lost_is_answered_as_the_sale_it_was(
    use: Wiring, show_with: ShowFactory, wire: Wire, capacity: int
) -> None:
    show_id = show_with(capacity=capacity)
    engine = connect_for_single_statements(wire.url, application="wire", pool_size=1)
    box_office = BoxOffice(engine, use.read, use.person_hashes)
    box_office.terms(show_id)
    order = order_of(use, show_id, quantity=3)
    wire.drops_next_reply.set()

    booking = box_office.reserve(order)

    assert not wire.drops_next_reply.is_set()
    assert (booking.id, booking.quantity) == (order.booking_id, 3)
    assert sold(use, show_id) == 3
    engine.dispose()


def test_a_call_whose_connection_is_lost_is_repeated_and_sells_once(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with()
    orders = [order_of(use, show_id) for _ in range(5)]

    with ThreadPoolExecutor(max_workers=len(orders)) as pool, use.engine.begin() as holder:
        holder.execute(
            text("SELECT 1 FROM booking.ticket_inventory WHERE show_id = :id FOR UPDATE"),
            {"id": show_id},
        )
        asked = [pool.submit(buy, use, each) for each in orders]
        eventually(lambda: len(waiting_sales(use)) == BATCHES_AT_ONCE)
        with use.engine.begin() as killer:
            for pid in waiting_sales(use):
                killer.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        holder.rollback()
        made = [each.result(60).id for each in asked]

    assert made == [order.booking_id for order in orders]
    assert sold(use, show_id) == len(orders)


def test_a_show_that_somebody_holds_keeps_no_other_from_being_sold(
    use: Wiring, show_with: ShowFactory
) -> None:
    stuck, free = show_with(), show_with()
    orders = [order_of(use, show_id) for show_id in (free, stuck, free, stuck, free)]

    with held(use, LOCK_SHOW, (stuck,)):
        sales = sell_together(use, orders, stuck=order_of(use, stuck))

    bought = BookingStatus.CONFIRMED_UNPAID
    assert [outcome(each) for each in sales] == [bought, "busy", bought, "busy", bought]
    assert (sold(use, free), sold(use, stuck)) == (3, 0)


def test_processes_that_wait_for_a_show_keep_no_other_from_each_other(
    use: Wiring, processes: Sequence[Wiring], show_with: ShowFactory
) -> None:
    first, stuck, last = sorted(show_with() for _ in range(3))  # locks are taken in this order
    wanted = [first, stuck, last, first, last, stuck] * 3

    def try_to_buy(number: int, show_id: UUID) -> object:
        order = order_of(use, show_id)
        for _ in range(2):  # who is asked to come again, because many wait, comes again
            with suppress(TimeoutError, OperationalError):
                return processes[number % 2].box_office.reserve(order).show.id
        return "busy"

    with held(use, LOCK_SHOW, (stuck,)), ThreadPoolExecutor(len(wanted)) as buyers:
        outcomes = list(buyers.map(try_to_buy, range(len(wanted)), wanted))

    assert outcomes == ["busy" if show_id == stuck else show_id for show_id in wanted]


def test_a_key_in_flight_and_a_closing_keep_nobody_else_from_buying(
    use: Wiring, show_with: ShowFactory
) -> None:
    orders = [order_of(use, show_with()) for _ in range(5)]
    repeated = replace(orders[1], key=IdempotencyKey("k", "f"))
    orders[1], leaving = repeated, orders[3]

    with (
        held(use, LOCK_KEY, (f"{repeated.buyer_id}:{OPERATION}:k",)),
        held(use, CLOSE, closing(use, leaving.buyer_id)),
        held(use, LOCK_SHOW, ((first := show_with()),)),
    ):
        sales = sell_together(use, orders, stuck=order_of(use, first))

    bought = BookingStatus.CONFIRMED_UNPAID
    assert [outcome(each) for each in sales] == [bought, RequestInFlight, bought, "busy", bought]


def test_a_key_that_is_free_in_a_moment_is_waited_for(use: Wiring, show_with: ShowFactory) -> None:
    show_id = show_with()
    orders = [order_of(use, show_id) for _ in range(4)]
    orders[1] = replace(orders[1], key=IdempotencyKey("k", "f"))

    with (
        ThreadPoolExecutor(max_workers=4) as pool,
        held(use, LOCK_KEY, (f"{orders[1].buyer_id}:{OPERATION}:k",)),
    ):
        with held(use, LOCK_SHOW, (show_id,)):
            first = pool.submit(buy, use, orders[0])
            eventually(lambda: len(waiting_sales(use)) == 1)
            sales = [pool.submit(buy, use, each) for each in orders[1:]]
        first.result(60)
    made = [sale.result(60).id for sale in sales]

    assert made == [order.booking_id for order in orders[1:]]


def test_a_changed_price_is_noticed_although_the_old_one_is_remembered(use: Wiring) -> None:
    offer = make_offer(price_paise=10_000)
    put_offer(use.begin, offer=offer)
    assert use.box_office.terms(offer.show_id) == (10_000, None)
    put_offer(
        use.begin,
        offer=make_offer(
            show_id=offer.show_id, creator_id=offer.creator_id, version=2, price_paise=20_000
        ),
    )

    booking = reserve_tickets(
        use.box_office, use.fees, use.rules, show_id=offer.show_id, buyer_id=uuid4(), quantity=1
    )

    assert booking.ticket_total_paise == 20_000


def test_who_does_not_fit_is_refused_and_the_others_of_the_batch_are_served(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with(capacity=10)
    orders = [order_of(use, show_id, quantity=3) for _ in range(8)]

    with ThreadPoolExecutor(max_workers=len(orders)) as pool:
        asked = [pool.submit(use.box_office.reserve, each) for each in orders]
        refusals = [failure for each in asked if (failure := each.exception(60)) is not None]

    assert [type(each) for each in refusals] == [SoldOut] * 5
    assert sold(use, show_id) == 9


def test_a_show_that_is_not_known_has_no_terms_and_is_looked_for_again(use: Wiring) -> None:
    offer = make_offer()
    assert use.box_office.terms(offer.show_id) is None

    put_offer(use.begin, offer=offer)

    assert use.box_office.terms(offer.show_id) is not None


@pytest.mark.parametrize("buyers", [1, 6], ids=["alone", "in a crowd"])
def test_a_sale_waits_for_the_closing_of_its_buyers_account_and_is_refused(
    use: Wiring, show_with: ShowFactory, buyers: int
) -> None:
    show_id = show_with()
    leaving, *others = [order_of(use, show_id) for _ in range(buyers)]

    with ThreadPoolExecutor(max_workers=buyers) as pool, use.engine.connect() as saga:
        saga.exec_driver_sql(CLOSE, closing(use, leaving.buyer_id))
        sale = pool.submit(buy, use, leaving)
        eventually(lambda: len(waiting_sales(use)) == 1)
        asked = [pool.submit(buy, use, each) for each in others]
        saga.commit()
        made = [each.result(60).id for each in asked]
        refusal = sale.exception(60)

    assert isinstance(refusal, AccountClosed)
    assert made == [order.booking_id for order in others]
    assert sold(use, show_id) == len(others)


def test_the_closing_of_an_account_waits_for_its_sale_under_way_and_sees_it(
    use: Wiring, show_with: ShowFactory
) -> None:
    order = order_of(use, show_with())

    def close_and_look() -> int:
        with use.engine.begin() as saga:
            saga.exec_driver_sql(CLOSE, closing(use, order.buyer_id))
            seen = saga.execute(
                text("SELECT count(*) FROM booking.booking WHERE user_id = :buyer"),
                {"buyer": order.buyer_id},
            )
            return int(seen.scalar_one())

    with ThreadPoolExecutor(max_workers=2) as pool, use.engine.connect() as holder:
        holder.execute(
            text("SELECT 1 FROM booking.ticket_inventory WHERE show_id = :id FOR UPDATE"),
            {"id": order.show_id},
        )
        sale = pool.submit(buy, use, order)
        eventually(lambda: len(waiting_sales(use)) == 1)
        saga = pool.submit(close_and_look)
        holder.rollback()

        assert sale.result(60).id == order.booking_id
        assert saga.result(60) == 1


def test_a_closing_that_takes_too_long_refuses_nobody_for_good(
    use: Wiring, show_with: ShowFactory
) -> None:
    order = order_of(use, show_with())

    with use.engine.connect() as saga:
        saga.exec_driver_sql(CLOSE, closing(use, order.buyer_id))
        with pytest.raises(OperationalError):
            use.box_office.reserve(order)
        saga.rollback()

    assert use.box_office.reserve(order).id == order.booking_id

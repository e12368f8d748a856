"""Shows that do not take place: the sale stops at once, the bookings follow, whoever is killed."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from cryptography.fernet import Fernet
from services.booking.tests.conftest import ERASURE_KEY

from booking_service.domain.bookings import Booking, BookingStatus
from booking_service.domain.cancellations import (
    Cancellation,
    CancellationOrder,
    CancellationState,
)
from booking_service.domain.errors import ShowNotOnSale
from booking_service.domain.refunds import Refund, RefundStatus
from booking_service.usecases.cancel_booking import cancel_booking
from booking_service.usecases.cancel_bookings_of_show import cancel_bookings_of_show
from booking_service.usecases.cancel_show import cancel_show
from booking_service.usecases.confirm_booking import Captured, confirm_booking
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.wiring import Wiring
from devstack.ports import free_ports
from devstack.processes import service_folder
from devstack.testing import Databases, eventually

ShowFactory = Callable[..., UUID]
HoldFactory = Callable[..., Booking]
Worker = Callable[[], "subprocess.Popen[bytes]"]


def book(use: Wiring, show_id: UUID, *, buyer_id: UUID, quantity: int = 1) -> Booking:
    return reserve_tickets(
        use.box_office, use.fees, use.rules, show_id=show_id, buyer_id=buyer_id, quantity=quantity
    )


def capture(use: Wiring, booking_id: UUID) -> Captured:
    with use.begin() as tx:
        return confirm_booking(tx, use.rules.current().limits, booking_id=booking_id)


def order(show_id: UUID) -> CancellationOrder:
    return CancellationOrder(show_id, version=2, reason="Ill", actor_id=uuid4())


def progress(use: Wiring, show_id: UUID) -> Cancellation:
    with use.read() as tx:
        cancellation = tx.cancellations.of_show(show_id)
    assert cancellation is not None
    return cancellation


def seats(use: Wiring, show_id: UUID) -> tuple[int, int, int]:
    with use.read() as tx:
        inventory = tx.inventory.of(show_id)
    assert inventory is not None
    return inventory.available, inventory.locked, inventory.sold


def standing(use: Wiring, buyer_id: UUID, booking_id: UUID) -> tuple[str, list[Refund]]:
    with use.read() as tx:
        booking = tx.bookings.one_of_buyer(buyer_id, booking_id)
        assert booking is not None
        return booking.status.value, list(tx.refunds.of_booking(booking_id))


def test_everybody_gets_all_that_was_paid_back(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id = show_with(capacity=20, price_paise=49_900)
    paid, unpaid, held = uuid4(), uuid4(), uuid4()
    of_paid = hold(show_id, buyer_id=paid, quantity=2).id
    capture(use, of_paid)
    of_unpaid = book(use, show_id, buyer_id=unpaid, quantity=3).id
    of_held = hold(show_id, buyer_id=held, quantity=4).id
    hold(show_id, quantity=5, ended=True)

    assert cancel_show(use.begin, order=order(show_id)) == (True, 2)
    assert progress(use, show_id).total == 3
    for _ in range(2):
        cancel_bookings_of_show(use.begin, show_id=show_id)

    full = [Refund(99_800 + 8_982, RefundStatus.DUE)]
    assert standing(use, paid, of_paid) == ("CANCELLED", full)
    assert standing(use, unpaid, of_unpaid) == ("CANCELLED", [])
    assert standing(use, held, of_held) == ("FAILED", [])
    assert seats(use, show_id) == (20, 0, 0)
    done = progress(use, show_id)
    assert (done.state, done.cancelled) == (CancellationState.COMPLETED, 3)
    with use.engine.connect() as connection:
        limits = connection.exec_driver_sql(
            "SELECT sum(active) FROM booking.buyer_show WHERE show_id = %s", (show_id,)
        )
        assert limits.scalar_one() == 0


def test_a_buyer_who_is_faster_than_the_worker_gets_everything_too(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id, buyer_id = show_with(price_paise=49_900), uuid4()
    booking = hold(show_id, buyer_id=buyer_id)
    capture(use, booking.id)
    cancel_show(use.begin, order=order(show_id))

    cancelled = cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id)
    cancel_bookings_of_show(use.begin, show_id=show_id)

    assert cancelled.refunds == (Refund(49_900 + 4_491, RefundStatus.DUE),)
    assert standing(use, buyer_id, booking.id)[1] == list(cancelled.refunds)


def test_money_captured_after_the_show_was_cancelled_goes_back(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id = show_with()
    booking = hold(show_id)
    cancel_show(use.begin, order=order(show_id))
    cancel_bookings_of_show(use.begin, show_id=show_id)

    assert capture(use, booking.id) is Captured.TO_REFUND


def test_no_sale_commits_after_the_show_was_cancelled(use: Wiring, show_with: ShowFactory) -> None:
    show_id = show_with(capacity=1_000)

    def sell_until_refused(_: int) -> int:
        sold = 0
        while True:
            try:
                book(use, show_id, buyer_id=uuid4())
            except ShowNotOnSale:
                return sold
            sold += 1

    with ThreadPoolExecutor(4) as sellers:
        selling = [sellers.submit(sell_until_refused, number) for number in range(4)]
        eventually(lambda: seats(use, show_id)[2] > 0)
        cancel_show(use.begin, order=order(show_id))
        total = progress(use, show_id).total
        assert sum(each.result() for each in selling) == total

    cancel_bookings_of_show(use.begin, show_id=show_id)
    assert seats(use, show_id) == (1_000, 0, 0)


@pytest.fixture
def start_worker(databases: Databases) -> Iterator[Worker]:
    """Start booking's worker as a process; the other services are not there."""
    started: list[subprocess.Popen[bytes]] = []
    nobody = "http://127.0.0.1:9"

    def start() -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "ENV": "development",
            "DATABASE_URL": databases.of("booking").url,
            "IDENTITY_URL": nobody,
            "CONFIG_URL": nobody,
            "TICKET_KEY_ENCRYPTION_KEY": Fernet.generate_key().decode(),
            "ERASURE_KEY": ERASURE_KEY,
            "JWT_ISSUER": nobody,
            "SERVICE_CLIENT_SECRET": "not needed here, but long enough",
            "WORKER_ID": "test-worker",
            "WORKER_PORT": str(free_ports(["WORKER"])["WORKER"]),
        }
        command = [sys.executable, "-m", "booking_service.worker"]
        started.append(
            subprocess.Popen(  # noqa: S603
                command, cwd=service_folder("booking"), env=environment, stdout=subprocess.DEVNULL
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_killed_worker_goes_on_where_it_was(
    use: Wiring, show_with: ShowFactory, start_worker: Worker
) -> None:
    show_id, buyers = show_with(), [uuid4() for _ in range(10)]
    bookings = {buyer_id: book(use, show_id, buyer_id=buyer_id).id for buyer_id in buyers}
    cancel_show(use.begin, order=order(show_id))

    with use.engine.begin() as connection:  # the worker comes as far as the fifth booking
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        connection.exec_driver_sql(
            "SELECT FROM booking.buyer_show WHERE user_id = %s FOR UPDATE", (buyers[4],)
        )
        worker = start_worker()
        eventually(lambda: progress(use, show_id).cancelled == 4, seconds=60)
        worker.kill()
        worker.wait()
    assert progress(use, show_id).state is CancellationState.RUNNING

    start_worker()
    eventually(lambda: progress(use, show_id).state is CancellationState.COMPLETED, seconds=60)

    assert progress(use, show_id).cancelled == 10
    assert seats(use, show_id) == (100, 0, 0)
    for buyer_id, booking_id in bookings.items():
        assert standing(use, buyer_id, booking_id) == (BookingStatus.CANCELLED.value, [])
    with use.engine.connect() as connection:
        moves = connection.exec_driver_sql(
            "SELECT count(*), count(DISTINCT booking_id) FROM booking.booking_move"
            " WHERE booking_id = ANY (%s)",
            (list(bookings.values()),),
        )
        assert tuple(moves.one()) == (10, 10)

"""What becomes of bookings, and what moves with them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import IntegrityError, ProgrammingError

from booking_service.domain.bookings import (
    EDGES,
    Booking,
    BookingStatus,
    IdempotencyKey,
)
from booking_service.domain.errors import (
    BookingNotFound,
    KeyReused,
    ShowStarted,
    SoldOut,
)
from booking_service.domain.limits import BookingLimits
from booking_service.domain.offers import Inventory
from booking_service.domain.refunds import Refund, RefundStatus
from booking_service.usecases.cancel_booking import cancel_booking
from booking_service.usecases.confirm_booking import Captured, confirm_booking
from booking_service.usecases.fail_booking import fail_booking
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.release_expired_holds import release_expired_holds
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.wiring import Wiring

ShowFactory = Callable[..., UUID]
HoldFactory = Callable[..., Booking]

LIMITS = BookingLimits(10, 10)
PENDING, CONFIRMED, UNPAID, CANCELLED, FAILED = BookingStatus


def book(use: Wiring, show_id: UUID, *, buyer_id: UUID, quantity: int = 1) -> Booking:
    return reserve_tickets(
        use.box_office, use.fees, use.rules, show_id=show_id, buyer_id=buyer_id, quantity=quantity
    )


def capture(use: Wiring, booking_id: UUID, limits: BookingLimits = LIMITS) -> Captured:
    with use.begin() as tx:
        return confirm_booking(tx, limits, booking_id=booking_id)


def fail(use: Wiring, booking_id: UUID) -> bool:
    with use.begin() as tx:
        return fail_booking(tx, booking_id=booking_id)


def inventory_of(use: Wiring, show_id: UUID) -> Inventory:
    with use.read() as tx:
        inventory = tx.inventory.of(show_id)
    assert inventory is not None
    return inventory


def seats(use: Wiring, show_id: UUID) -> tuple[int, int, int]:
    inventory = inventory_of(use, show_id)
    return inventory.available, inventory.locked, inventory.sold


def active(use: Wiring, buyer_id: UUID) -> int:
    with use.engine.connect() as connection:
        counted = connection.exec_driver_sql(
            "SELECT active FROM booking.buyer_show WHERE user_id = %s", (buyer_id,)
        )
        return int(counted.scalar_one())


def read(use: Wiring, buyer_id: UUID, booking_id: UUID) -> Booking:
    with use.read() as tx:
        booking = tx.bookings.one_of_buyer(buyer_id, booking_id)
    assert booking is not None
    return booking


@pytest.mark.parametrize(("before", "after"), list(product(BookingStatus, repeat=2)))
def test_the_table_allows_the_edges_that_the_domain_names_and_no_other(
    use: Wiring,
    show_with: ShowFactory,
    hold: HoldFactory,
    before: BookingStatus,
    after: BookingStatus,
) -> None:
    buyer_id, show_id = uuid4(), show_with()
    booking = (
        book(use, show_id, buyer_id=buyer_id)
        if before in {UNPAID, CANCELLED}
        else hold(show_id, buyer_id=buyer_id)
    )
    if before is CANCELLED:
        cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id)
    elif before is CONFIRMED:
        capture(use, booking.id)
    elif before is FAILED:
        fail(use, booking.id)
    assert read(use, buyer_id, booking.id).status is before

    def write() -> None:
        with use.engine.connect() as connection:  # never committed
            connection.exec_driver_sql(
                "UPDATE booking.booking SET status = %s WHERE id = %s", (after.value, booking.id)
            )

    if after in EDGES[before] or after is before:
        write()
    else:
        with pytest.raises(IntegrityError, match="does not go from"):
            write()


def test_moves_are_written_down_for_ever(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    booking = hold(show_with())
    fail(use, booking.id)
    capture(use, booking.id)

    with use.engine.connect() as connection:
        moves = connection.exec_driver_sql(
            "SELECT from_status, to_status FROM booking.booking_move WHERE booking_id = %s"
            " ORDER BY id",
            (booking.id,),
        )
        assert list(map(tuple, moves)) == [("PENDING", "FAILED"), ("FAILED", "CONFIRMED")]
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.exec_driver_sql("DELETE FROM booking.booking_move")


def test_a_buyer_gives_a_booking_up_once_and_the_seats_are_free_again(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id, buyer_id = show_with(capacity=10), uuid4()
    booking = book(use, show_id, buyer_id=buyer_id, quantity=4)

    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda _: cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id),
                range(8),
            )
        )

    assert {answer.status for answer in answers} == {CANCELLED}
    assert answers[0].refunds == ()  # nothing was captured
    assert seats(use, show_id) == (10, 0, 0)
    assert active(use, buyer_id) == 0


def test_a_paid_booking_is_refunded_by_the_policy_it_was_made_under(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id, buyer_id = show_with(price_paise=49_900), uuid4()
    booking = hold(show_id, buyer_id=buyer_id, quantity=2)
    capture(use, booking.id)

    cancelled = cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id)

    assert cancelled.status is CANCELLED
    assert cancelled.refunds == (Refund(99_800, RefundStatus.DUE),)  # the fee is not refunded
    again = cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id)
    assert again == cancelled


def test_the_policy_a_booking_was_made_under_cannot_be_changed(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    booking = hold(show_with())
    with use.engine.connect() as connection:
        stored = connection.exec_driver_sql(
            "SELECT refund_policy FROM booking.booking WHERE id = %s", (booking.id,)
        ).scalar_one()
        assert stored["tiers"]
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.exec_driver_sql("UPDATE booking.booking SET refund_policy = NULL")


def test_after_a_move_all_the_money_can_be_had_back(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    soon = datetime.now(UTC) + timedelta(hours=3)  # too late for the policy
    show_id, buyer_id = show_with(price_paise=49_900, starts_at=soon), uuid4()
    booking = hold(show_id, buyer_id=buyer_id)
    capture(use, booking.id)
    offer = inventory_of(use, show_id).offer
    put_offer(use.begin, offer=replace(offer, version=2, venue="Somewhere else"))

    cancelled = cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id)

    assert cancelled.refunds == (Refund(49_900 + 4_491, RefundStatus.DUE),)


def test_giving_up_a_hold_lets_it_fail(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id, buyer_id = show_with(capacity=10), uuid4()
    booking = hold(show_id, buyer_id=buyer_id, quantity=3)

    cancelled = cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id)

    assert cancelled.status is FAILED
    assert seats(use, show_id) == (10, 0, 0)
    assert active(use, buyer_id) == 0


def test_another_persons_booking_cannot_be_given_up(use: Wiring, show_with: ShowFactory) -> None:
    show_id, buyer_id = show_with(), uuid4()
    booking = book(use, show_id, buyer_id=buyer_id)

    for stranger, booking_id in ((uuid4(), booking.id), (buyer_id, uuid4())):
        with pytest.raises(BookingNotFound):
            cancel_booking(use.begin, buyer_id=stranger, booking_id=booking_id)

    assert read(use, buyer_id, booking.id).status is UNPAID


def test_a_booking_of_a_show_that_has_started_stays(use: Wiring, show_with: ShowFactory) -> None:
    show_id, buyer_id = show_with(), uuid4()
    booking = book(use, show_id, buyer_id=buyer_id)
    offer = inventory_of(use, show_id).offer
    past = datetime.now(UTC) - timedelta(minutes=1)
    put_offer(use.begin, offer=replace(offer, version=2, starts_at=past))

    with pytest.raises(ShowStarted):
        cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id)

    assert read(use, buyer_id, booking.id).status is UNPAID


def test_a_cancellation_with_a_key_has_the_same_answer_for_its_repeats(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    buyer_id, key = uuid4(), IdempotencyKey("give up", "one")
    booking = hold(show_with(), buyer_id=buyer_id)
    capture(use, booking.id)

    def cancel(_: int) -> Booking:
        return cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id, key=key)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(cancel, range(8)))
    with use.engine.begin() as connection:  # as if it was paid out meanwhile
        connection.exec_driver_sql(
            "UPDATE booking.refund SET status = 'DONE' WHERE booking_id = %s", (booking.id,)
        )

    assert [cancel(0)] * 8 == answers
    with pytest.raises(KeyReused):
        cancel_booking(
            use.begin, buyer_id=buyer_id, booking_id=uuid4(), key=replace(key, fingerprint="two")
        )


def test_a_captured_hold_is_confirmed_and_its_seats_are_sold(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id, buyer_id = show_with(capacity=10), uuid4()
    booking = hold(show_id, buyer_id=buyer_id, quantity=3)

    assert capture(use, booking.id) is Captured.CONFIRMED
    assert capture(use, booking.id) is Captured.ALREADY_CONFIRMED

    assert seats(use, show_id) == (7, 0, 3)
    assert active(use, buyer_id) == 3
    confirmed = read(use, buyer_id, booking.id)
    assert (confirmed.status, confirmed.expires_at) == (CONFIRMED, None)
    assert not fail(use, booking.id)


def test_a_late_capture_has_its_seats_if_they_are_left(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id, buyer_id = show_with(capacity=10), uuid4()
    booking = hold(show_id, buyer_id=buyer_id, quantity=3, ended=True)

    assert capture(use, booking.id) is Captured.CONFIRMED

    assert seats(use, show_id) == (7, 0, 3)
    assert active(use, buyer_id) == 3


def test_a_late_capture_is_refunded_if_others_have_the_seats(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id = show_with(capacity=3)
    booking = hold(show_id, quantity=3, ended=True)
    book(use, show_id, buyer_id=uuid4(), quantity=1)

    assert capture(use, booking.id) is Captured.TO_REFUND
    assert seats(use, show_id) == (2, 0, 1)


@pytest.mark.parametrize(
    "change",
    [{"starts_at": datetime.now(UTC) - timedelta(minutes=1)}, {"on_sale": False}],
    ids=["started", "closed"],
)
def test_a_late_capture_is_refunded_if_the_sale_is_over(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory, change: dict[str, object]
) -> None:
    show_id = show_with()
    booking = hold(show_id, ended=True)
    offer = inventory_of(use, show_id).offer
    put_offer(use.begin, offer=replace(offer, version=2, **change))  # type: ignore[arg-type]

    assert capture(use, booking.id) is Captured.TO_REFUND


def test_a_late_capture_is_refunded_if_the_buyer_would_have_too_many(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id, buyer_id = show_with(), uuid4()
    booking = hold(show_id, buyer_id=buyer_id, quantity=4, ended=True)
    book(use, show_id, buyer_id=buyer_id, quantity=7)

    assert capture(use, booking.id) is Captured.TO_REFUND
    assert capture(use, booking.id, BookingLimits(3, 20)) is Captured.TO_REFUND
    assert capture(use, booking.id, BookingLimits(4, 11)) is Captured.CONFIRMED


def test_of_a_late_capture_and_another_buyer_one_has_the_last_seat(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    def buy(show_id: UUID) -> bool:
        try:
            book(use, show_id, buyer_id=uuid4())
        except SoldOut:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        for _ in range(10):
            show_id = show_with(capacity=1)
            late = hold(show_id, ended=True)
            captured = pool.submit(capture, use, late.id)
            bought = pool.submit(buy, show_id)
            assert (captured.result() is Captured.CONFIRMED) is not bought.result()
            assert seats(use, show_id) == (0, 0, 1)


def test_a_capture_of_what_was_cancelled_is_refunded(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    buyer_id = uuid4()
    booking = hold(show_with(), buyer_id=buyer_id)
    capture(use, booking.id)
    cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id)

    assert capture(use, booking.id) is Captured.TO_REFUND


def test_the_sweep_releases_ended_holds_once_and_leaves_busy_shows_for_later(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    release_expired_holds(use.begin)  # what other tests left
    free, busy = show_with(capacity=10), show_with(capacity=10)
    for show_id in (free, busy):
        hold(show_id, quantity=2, ended=True)
        hold(show_id, quantity=1)

    with use.begin() as tx:
        tx.inventory.lock(busy)
        assert release_expired_holds(use.begin) == 1
    assert seats(use, free) == (9, 1, 0)
    assert seats(use, busy) == (7, 3, 0)

    with ThreadPoolExecutor(2) as workers:
        released = workers.map(lambda _: release_expired_holds(use.begin), range(4))
        assert sum(released) == 1
    assert seats(use, busy) == (9, 1, 0)

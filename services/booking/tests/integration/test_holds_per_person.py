"""Nobody holds unpaid seats of every show: at most what one person may have of three."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from services.booking.tests.conftest import patiently
from sqlalchemy import text
from werkzeug.test import TestResponse

from booking_service.app import create_app
from booking_service.domain.bookings import Booking, BookingStatus, IdempotencyKey, Payments
from booking_service.domain.errors import TooManyHeld
from booking_service.domain.limits import DEFAULT_LIMITS, BookingLimits
from booking_service.usecases.cancel_booking import cancel_booking
from booking_service.usecases.confirm_booking import confirm_booking
from booking_service.usecases.fail_booking import fail_booking
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.wiring import Wiring
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., UUID]
HoldFactory = Callable[..., Booking]
Holder = tuple[UUID, list[Booking]]

LIMIT = 30  # three shows of ten tickets


def book(
    use: Wiring,
    show_id: UUID,
    *,
    buyer_id: UUID,
    quantity: int = 10,
    payments: Payments = Payments.ONLINE,
    key: IdempotencyKey | None = None,
) -> Booking:
    return patiently(
        lambda: reserve_tickets(
            use.box_office,
            use.fees,
            use.rules,
            show_id=show_id,
            buyer_id=buyer_id,
            quantity=quantity,
            key=key,
            payments=payments,
        )
    )


def held(use: Wiring, buyer_id: UUID) -> int:
    """Return how many unpaid tickets somebody holds."""
    with use.engine.connect() as connection:
        tickets = connection.execute(
            text(
                "SELECT coalesce(sum(quantity), 0) FROM booking.booking WHERE user_id = :buyer"
                " AND status = 'PENDING' AND expires_at > now()"
            ),
            {"buyer": buyer_id},
        )
        return int(tickets.scalar_one())


def written(use: Wiring, buyer_id: UUID, show_id: UUID) -> tuple[int, ...]:
    """Count what a sale writes: bookings, tickets of the buyer, keys, and seats that are taken."""
    with use.engine.connect() as connection:
        counted = connection.execute(
            text(
                "SELECT (SELECT count(*) FROM booking.booking WHERE user_id = :buyer),"
                " (SELECT coalesce(sum(active), 0) FROM booking.buyer_show WHERE user_id = :buyer),"
                " (SELECT count(*) FROM booking.idempotency_key WHERE user_id = :buyer),"
                " (SELECT locked + sold FROM booking.ticket_inventory WHERE show_id = :show)"
            ),
            {"buyer": buyer_id, "show": show_id},
        )
        return tuple(map(int, counted.one()))


@pytest.fixture
def holder(show_with: ShowFactory, hold: HoldFactory) -> Holder:
    """Somebody who holds as many unpaid tickets as one person may, and the bookings."""
    buyer_id = uuid4()
    return buyer_id, [hold(show_with(), quantity=10, buyer_id=buyer_id) for _ in range(3)]


def test_who_holds_what_one_may_have_of_three_shows_holds_no_seat_of_a_fourth(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory, holder: Holder
) -> None:
    (buyer_id, _), show_id = holder, show_with()
    before = written(use, buyer_id, show_id)

    with pytest.raises(TooManyHeld, match=f"At most {LIMIT} unpaid tickets"):
        hold(show_id, buyer_id=buyer_id)

    assert written(use, buyer_id, show_id) == before == (3, 30, 0, 0)
    assert held(use, buyer_id) == LIMIT
    assert hold(show_id).status is BookingStatus.PENDING  # somebody else


def test_three_shows_is_what_it_is_by_whatever_limit_is_configured() -> None:
    assert DEFAULT_LIMITS.held_per_person == LIMIT
    assert BookingLimits(per_booking=2, per_person_and_show=4).held_per_person == 12


def paid(use: Wiring, _buyer_id: UUID, booking_id: UUID) -> None:
    with use.begin() as tx:
        confirm_booking(tx, use.rules.current().limits, booking_id=booking_id)


def failed(use: Wiring, _buyer_id: UUID, booking_id: UUID) -> None:
    with use.begin() as tx:
        fail_booking(tx, booking_id=booking_id)


def cancelled(use: Wiring, buyer_id: UUID, booking_id: UUID) -> None:
    cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking_id)


def ended(use: Wiring, _buyer_id: UUID, booking_id: UUID) -> None:
    """Have the time of a hold be over; nobody has tidied it."""
    with use.engine.begin() as connection:
        connection.execute(
            text("UPDATE booking.booking SET expires_at = now() WHERE id = :id"),
            {"id": booking_id},
        )


@pytest.mark.parametrize("settle", [paid, failed, cancelled, ended])
def test_what_is_not_held_any_more_makes_room(
    use: Wiring,
    show_with: ShowFactory,
    hold: HoldFactory,
    holder: Holder,
    settle: Callable[[Wiring, UUID, UUID], None],
) -> None:
    buyer_id, bookings = holder
    settle(use, buyer_id, bookings[1].id)

    show_id = show_with()
    hold(show_id, quantity=6, buyer_id=buyer_id)
    with pytest.raises(TooManyHeld):
        hold(show_with(), quantity=5, buyer_id=buyer_id)
    hold(show_id, quantity=4, buyer_id=buyer_id)

    assert held(use, buyer_id) == LIMIT


def test_what_costs_nothing_or_is_paid_at_the_venue_is_not_held(
    use: Wiring, show_with: ShowFactory, holder: Holder
) -> None:
    buyer_id, bookings = holder
    made = [
        book(use, show_with(price_paise=0), buyer_id=buyer_id),
        book(use, show_with(), buyer_id=buyer_id, payments=Payments.AT_VENUE),
    ]
    assert [each.status.value for each in made] == ["CONFIRMED", "CONFIRMED_UNPAID"]
    cancelled(use, buyer_id, bookings[0].id)

    assert book(use, show_with(), buyer_id=buyer_id).status is BookingStatus.PENDING


def test_money_that_comes_late_confirms_its_booking_however_much_is_held(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    buyer_id = uuid4()
    late = hold(show_with(), quantity=10, buyer_id=buyer_id, ended=True)
    for _ in range(3):
        hold(show_with(), quantity=10, buyer_id=buyer_id)

    paid(use, buyer_id, late.id)

    with use.read() as tx:
        booking = tx.bookings.one_of_buyer(buyer_id, late.id)
    assert booking is not None
    assert booking.status is BookingStatus.CONFIRMED


def test_a_repeated_key_has_its_first_answer_although_nothing_more_may_be_held(
    use: Wiring, show_with: ShowFactory
) -> None:
    buyer_id, key, show_id = uuid4(), IdempotencyKey("a key", "same"), show_with()
    first = book(use, show_id, buyer_id=buyer_id, key=key)
    for _ in range(2):
        book(use, show_with(), buyer_id=buyer_id)
    late, later = IdempotencyKey("late", "same"), show_with()
    with pytest.raises(TooManyHeld):
        book(use, later, buyer_id=buyer_id, key=late)

    assert book(use, show_id, buyer_id=buyer_id, key=key) == first
    cancelled(use, buyer_id, first.id)
    assert book(use, later, buyer_id=buyer_id, key=late).show.id == later  # was not kept


def test_the_refusal_says_what_to_do(
    online: Wiring, show_with: ShowFactory, issuer: TokenIssuer
) -> None:
    client, caller = create_app(online).test_client(), issuer.user(uuid4())

    def ask() -> TestResponse:
        body = {"showId": str(show_with()), "quantity": 10}
        return client.post("/api/v1/bookings", json=body, headers=caller)

    assert [ask().status_code for _ in range(3)] == [201] * 3
    refused = ask()

    assert (refused.status_code, refused.content_type) == (409, "application/problem+json")
    assert refused.json is not None
    assert refused.json["code"] == "TOO_MANY_HELD"
    assert refused.json["error"] == (
        "At most 30 unpaid tickets can be held at once. Please pay for those you hold or cancel"
        " them, or try again once your payment has arrived or their time is over."
    )


def test_processes_that_share_no_show_hold_no_more_together(
    use: Wiring, processes: Sequence[Wiring], show_with: ShowFactory
) -> None:
    for _ in range(5):
        buyer_id = uuid4()

        def ask(number: int, buyer_id: UUID = buyer_id) -> Booking | None:
            try:
                return book(processes[number % 2], show_with(), buyer_id=buyer_id)
            except TooManyHeld:
                return None

        with ThreadPoolExecutor(8) as pool:
            made = [each for each in pool.map(ask, range(8)) if each]
            assert (len(made), held(use, buyer_id)) == (3, LIMIT)

            again = pool.map(ask, range(8))  # while one is given up, which makes room for one
            cancelled(use, buyer_id, made[0].id)
            made_again = [each for each in again if each]
        assert len(made_again) <= 1
        assert held(use, buyer_id) == LIMIT - 10 + 10 * len(made_again)

"""Somebody whose account is being deleted buys nothing: neither fenced nor gone, nor in between."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from services.booking.tests.conftest import patiently
from sqlalchemy import text

from booking_service.domain.bookings import Booking, IdempotencyKey, Payments
from booking_service.domain.deletions import Outcome
from booking_service.domain.errors import AccountClosed
from booking_service.usecases.fence_person import fence_person
from booking_service.usecases.lift_fence import lift_fence
from booking_service.usecases.purge_person import purge_person
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.wiring import Wiring
from devstack.testing import eventually
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., UUID]


def book(
    use: Wiring,
    show_id: UUID,
    *,
    buyer_id: UUID,
    key: IdempotencyKey | None = None,
    payments: Payments = Payments.AT_VENUE,
) -> Booking:
    return reserve_tickets(
        use.box_office,
        use.fees,
        use.rules,
        show_id=show_id,
        buyer_id=buyer_id,
        quantity=1,
        key=key,
        payments=payments,
    )


def purge(use: Wiring, person_id: UUID, saga_id: UUID) -> None:
    command = partial(purge_person, use.begin, saga_id=saga_id, person_id=person_id)
    while True:
        answer = patiently(command)
        if answer.state is not Outcome.PURGING:
            assert answer.state is Outcome.PURGED
            return


def named(use: Wiring, person_id: UUID) -> int:
    """Return how many rows name a person as a buyer."""
    with use.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT (SELECT count(*) FROM booking.booking WHERE user_id = :id)"
                " + (SELECT count(*) FROM booking.buyer_show WHERE user_id = :id)"
                " + (SELECT count(*) FROM booking.idempotency_key WHERE user_id = :id)"
            ),
            {"id": person_id},
        )
        return int(rows.scalar_one())


def waiting(use: Wiring) -> bool:
    """Return whether somebody waits for somebody else's lock."""
    with use.engine.connect() as connection:
        blocked = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND cardinality(pg_blocking_pids(pid)) > 0"
        )
        return bool(blocked.scalar_one())


@pytest.mark.parametrize("payments", Payments)
def test_a_fenced_person_books_nothing_until_the_fence_is_lifted(
    payments: Payments, use: Wiring, show_with: ShowFactory
) -> None:
    person_id, saga_id, show_id = uuid4(), uuid4(), show_with()
    key = IdempotencyKey("first", "fingerprint")
    fence_person(use.begin, saga_id=saga_id, person_id=person_id)

    for each in (None, key):
        with pytest.raises(AccountClosed):
            book(use, show_id, buyer_id=person_id, key=each, payments=payments)
    assert named(use, person_id) == 0
    book(use, show_id, buyer_id=uuid4(), payments=payments)

    lift_fence(use.begin, saga_id=saga_id, person_id=person_id)
    book(use, show_id, buyer_id=person_id, key=key, payments=payments)


def test_somebody_who_is_gone_books_nothing(use: Wiring, show_with: ShowFactory) -> None:
    person_id, show_id = uuid4(), show_with()
    book(use, show_id, buyer_id=person_id)
    purge(use, person_id, uuid4())

    with pytest.raises(AccountClosed):
        book(use, show_id, buyer_id=person_id, key=IdempotencyKey("late", "fingerprint"))
    assert named(use, person_id) == 0


def test_others_in_the_same_batch_are_served(use: Wiring, show_with: ShowFactory) -> None:
    person_id, show_id = uuid4(), show_with(capacity=100)
    fence_person(use.begin, saga_id=uuid4(), person_id=person_id)
    buyers = [person_id if number % 5 == 0 else uuid4() for number in range(40)]

    def buy(buyer_id: UUID) -> bool:
        try:
            patiently(partial(book, use, show_id, buyer_id=buyer_id))
        except AccountClosed:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        served = list(pool.map(buy, buyers))

    assert served == [buyer_id != person_id for buyer_id in buyers]


def test_the_refusal_says_why(
    use: Wiring, client: FlaskClient, issuer: TokenIssuer, show_with: ShowFactory
) -> None:
    person_id, show_id = uuid4(), show_with()
    fence_person(use.begin, saga_id=uuid4(), person_id=person_id)

    body = {"showId": str(show_id), "quantity": 1}
    answer = client.post("/api/v1/bookings", json=body, headers=issuer.user(person_id))

    assert answer.status_code == 409
    assert answer.json["code"] == "ACCOUNT_CLOSED"
    assert answer.json["error"] == "This account is being deleted."


def test_a_sale_that_waits_for_a_fence_is_refused_by_it(
    use: Wiring, show_with: ShowFactory
) -> None:
    person_id, show_id = uuid4(), show_with()

    with ThreadPoolExecutor(1) as pool:
        with use.begin() as tx:  # as `fence_person`
            tx.deletions.claim(person_id)
            sale = pool.submit(book, use, show_id, buyer_id=person_id)
            eventually(lambda: waiting(use))
            tx.deletions.fence(uuid4(), person_id)
        with pytest.raises(AccountClosed):
            sale.result()

    assert named(use, person_id) == 0


def test_a_purge_during_sales_leaves_nothing_of_the_person(
    use: Wiring, show_with: ShowFactory
) -> None:
    for _ in range(6):
        person_id, saga_id = uuid4(), uuid4()
        shows = [show_with(capacity=1_000) for _ in range(3)]

        def buy_until_refused(show_id: UUID, person_id: UUID = person_id) -> None:
            with suppress(AccountClosed):
                for number in range(10):
                    key = IdempotencyKey(f"{show_id}-{number}", "fingerprint")
                    patiently(partial(book, use, show_id, buyer_id=person_id, key=key))

        with ThreadPoolExecutor(4) as pool:
            buyers = [pool.submit(buy_until_refused, show_id) for show_id in shows]
            purge(use, person_id, saga_id)
            for each in buyers:
                each.result()

        assert named(use, person_id) == 0
        with use.read() as tx:
            for show in tx.inventory.of_shows(shows):
                assert show.taken == 0

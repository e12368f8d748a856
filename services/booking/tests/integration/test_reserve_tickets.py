from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from services.booking.tests.conftest import patiently

from booking_service.domain.bookings import Booking, BookingStatus, IdempotencyKey
from booking_service.domain.errors import (
    BookingError,
    KeyReused,
    PriceChanged,
    ShowNotFound,
    ShowNotOnSale,
    ShowStarted,
    SoldOut,
    TicketLimitReached,
)
from booking_service.domain.offers import Inventory
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.wiring import Wiring

ShowFactory = Callable[..., UUID]


def book(
    use: Wiring,
    show_id: UUID,
    *,
    quantity: int = 1,
    buyer_id: UUID | None = None,
    expected: int | None = None,
    key: IdempotencyKey | None = None,
) -> Booking:
    return reserve_tickets(
        use.box_office,
        use.fees,
        use.rules,
        show_id=show_id,
        buyer_id=buyer_id or uuid4(),
        quantity=quantity,
        expected_total_paise=expected,
        key=key,
    )


def seats(use: Wiring, show_id: UUID) -> Inventory:
    with use.read() as tx:
        inventory = tx.inventory.of(show_id)
    assert inventory is not None
    return inventory


def bookings_of(use: Wiring, buyer_id: UUID) -> int:
    with use.read() as tx:
        return len(tx.bookings.of_buyer(buyer_id, limit=100))


def test_booked_tickets_are_no_longer_available(use: Wiring, show_with: ShowFactory) -> None:
    show_id = show_with(capacity=10, price_paise=49_900)

    booking = book(use, show_id, quantity=2)

    assert booking.status is BookingStatus.CONFIRMED_UNPAID
    assert (booking.ticket_total_paise, booking.convenience_fee_paise) == (99_800, 8_982)
    assert booking.platform_fee_paise == 7_984
    after = seats(use, show_id)
    assert (after.available, after.locked, after.sold) == (8, 0, 2)


def test_a_free_show_is_confirmed_at_once(use: Wiring, show_with: ShowFactory) -> None:
    assert book(use, show_with(price_paise=0)).status is BookingStatus.CONFIRMED


def test_twenty_buyers_of_five_tickets_get_five(
    use: Wiring, processes: Sequence[Wiring], show_with: ShowFactory
) -> None:
    show_id = show_with(capacity=5)

    def buy(number: int) -> str:
        try:
            patiently(lambda: book(processes[number % 2], show_id))
        except SoldOut:
            return "sold out"
        return "reserved"

    with ThreadPoolExecutor(max_workers=20) as buyers:
        outcomes = Counter(buyers.map(buy, range(20)))

    assert outcomes == {"reserved": 5, "sold out": 15}
    assert seats(use, show_id).available == 0


def test_one_person_cannot_pass_the_limit_by_asking_at_once(
    use: Wiring, processes: Sequence[Wiring], show_with: ShowFactory
) -> None:
    show_id, buyer_id = show_with(capacity=100), uuid4()

    def buy(number: int) -> str:
        try:
            patiently(lambda: book(processes[number % 2], show_id, quantity=3, buyer_id=buyer_id))
        except TicketLimitReached:
            return "refused"
        return "reserved"

    with ThreadPoolExecutor(max_workers=8) as attempts:
        outcomes = Counter(attempts.map(buy, range(8)))

    assert outcomes == {"reserved": 3, "refused": 5}
    assert seats(use, show_id).sold == 9


@pytest.mark.parametrize(
    ("offer", "refusal"),
    [
        ({"on_sale": False}, ShowNotOnSale),
        ({"starts_at": datetime.now(UTC) - timedelta(seconds=1)}, ShowStarted),
        ({"capacity": 1}, SoldOut),
    ],
)
def test_a_refusal_writes_nothing(
    use: Wiring,
    show_with: ShowFactory,
    offer: dict[str, object],
    refusal: type[BookingError],
) -> None:
    show_id, buyer_id = show_with(**offer), uuid4()
    before = seats(use, show_id)

    with pytest.raises(refusal):
        book(use, show_id, quantity=2, buyer_id=buyer_id, key=IdempotencyKey("k", "f"))

    assert seats(use, show_id) == before
    assert bookings_of(use, buyer_id) == 0
    with use.engine.connect() as connection:
        keys = connection.exec_driver_sql(
            "SELECT count(*) FROM booking.idempotency_key WHERE user_id = %s", (buyer_id,)
        )
        assert keys.scalar_one() == 0


def test_an_unknown_show_is_refused(use: Wiring) -> None:
    with pytest.raises(ShowNotFound):
        book(use, uuid4())


def test_a_total_that_no_longer_fits_is_refused_with_the_new_one(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with(price_paise=49_900)

    with pytest.raises(PriceChanged) as refused:
        book(use, show_id, quantity=2, expected=100_000)

    new_total = refused.value.quote.grand_total_paise
    assert book(use, show_id, quantity=2, expected=new_total).quantity == 2


def test_a_repeated_key_returns_the_first_booking_and_takes_nothing(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id, buyer_id = show_with(capacity=10), uuid4()
    key = IdempotencyKey("my-key", "same")

    first = book(use, show_id, quantity=2, buyer_id=buyer_id, key=key)
    again = book(use, show_id, quantity=2, buyer_id=buyer_id, key=key)

    assert again == first
    assert seats(use, show_id).available == 8


def test_twenty_duplicates_at_once_have_one_effect(
    use: Wiring, processes: Sequence[Wiring], show_with: ShowFactory
) -> None:
    show_id, buyer_id = show_with(capacity=10), uuid4()
    key = IdempotencyKey("at-once", "same")

    def buy(number: int) -> Booking:
        return patiently(
            lambda: book(processes[number % 2], show_id, quantity=2, buyer_id=buyer_id, key=key)
        )

    with ThreadPoolExecutor(max_workers=8) as duplicates:
        bookings = list(duplicates.map(buy, range(20)))

    assert len({booking.id for booking in bookings}) == 1
    assert seats(use, show_id).available == 8


def test_a_key_used_for_another_request_is_refused(use: Wiring, show_with: ShowFactory) -> None:
    show_id, buyer_id = show_with(), uuid4()
    book(use, show_id, buyer_id=buyer_id, key=IdempotencyKey("reused", "one"))

    with pytest.raises(KeyReused):
        book(use, show_id, buyer_id=buyer_id, key=IdempotencyKey("reused", "two"))


def test_a_key_of_one_person_means_nothing_for_another(use: Wiring, show_with: ShowFactory) -> None:
    show_id = show_with(capacity=10)
    key = IdempotencyKey("common", "same")

    assert book(use, show_id, key=key).id != book(use, show_id, key=key).id


def test_a_refused_key_is_judged_afresh(use: Wiring, show_with: ShowFactory) -> None:
    small, large, buyer_id = show_with(capacity=1), show_with(capacity=10), uuid4()
    with pytest.raises(SoldOut):
        book(use, small, quantity=2, buyer_id=buyer_id, key=IdempotencyKey("again", "small"))

    booking = book(use, large, buyer_id=buyer_id, key=IdempotencyKey("again", "large"))

    assert booking.show.id == large


def test_the_amounts_of_a_booking_cannot_be_changed_by_the_service(
    use: Wiring, show_with: ShowFactory
) -> None:
    booking = book(use, show_with())

    with use.engine.connect() as connection, pytest.raises(Exception, match="permission denied"):
        connection.exec_driver_sql(
            "UPDATE booking.booking SET platform_fee_paise = 0 WHERE id = %s", (booking.id,)
        )


def test_a_booking_is_made_at_the_newest_price(use: Wiring, show_with: ShowFactory) -> None:
    show_id = show_with(price_paise=10_000)
    offer = seats(use, show_id).offer
    put_offer(use.begin, offer=replace(offer, version=2, price_paise=20_000))

    assert book(use, show_id).ticket_total_paise == 20_000

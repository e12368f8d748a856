"""The limits that are configured, as sales and quotes feel them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from booking_service.app import create_app
from booking_service.domain.bookings import IdempotencyKey
from booking_service.domain.errors import BookingTooLarge, SoldOut, TicketLimitReached
from booking_service.domain.limits import BookingLimits
from booking_service.domain.sale_rules import DEFAULT_RULES, PlatformSettings
from booking_service.repositories.platform_settings import CurrentRules
from booking_service.usecases.quote_tickets import quote_tickets
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.wiring import Wiring
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., UUID]
Configure = Callable[[int, int], Wiring]


@pytest.fixture
def configure(use: Wiring) -> Iterator[Configure]:
    """Have limits received from config; the default ones are again in force afterwards."""

    def receive(per_booking: int, per_person_and_show: int) -> Wiring:
        document = {
            "ticketsPerBooking": per_booking,
            "ticketsPerPersonAndShow": per_person_and_show,
            "holdMinutes": 10,
            "refundPolicy": {"tiers": [], "refundsConvenienceFee": False},
        }
        with use.begin() as tx:
            newest = tx.platform_settings.newest()
            version = newest.version + 1 if newest else 1
            tx.platform_settings.confirm(PlatformSettings(version, document))
        return replace(use, rules=CurrentRules(use.read))  # without what is kept in memory

    yield receive
    with use.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM booking.platform_settings")


def book(
    use: Wiring,
    show_id: UUID,
    quantity: int,
    *,
    buyer_id: UUID | None = None,
    key: IdempotencyKey | None = None,
) -> UUID:
    return reserve_tickets(
        use.box_office,
        use.fees,
        use.rules,
        show_id=show_id,
        buyer_id=buyer_id or uuid4(),
        quantity=quantity,
        key=key,
    ).id


def test_a_booking_has_at_most_as_many_tickets_as_configured(
    configure: Configure, show_with: ShowFactory
) -> None:
    use, show_id = configure(4, 10), show_with()

    book(use, show_id, 4)
    with pytest.raises(BookingTooLarge, match="At most 4 tickets"):
        book(use, show_id, 5)
    with pytest.raises(BookingTooLarge, match="At most 4 tickets"):
        quote_tickets(use.read, use.fees, use.rules, show_id=show_id, quantity=5)

    with use.read() as tx:
        inventory = tx.inventory.of(show_id)
    assert inventory is not None
    assert inventory.sold == 4


@pytest.mark.parametrize("limit", [5, 15])
def test_a_person_has_at_most_as_many_tickets_of_a_show_as_configured(
    configure: Configure, show_with: ShowFactory, limit: int
) -> None:
    use, show_id, buyer_id = configure(5, limit), show_with(), uuid4()
    for _ in range(limit // 5):
        book(use, show_id, 5, buyer_id=buyer_id)

    with pytest.raises(TicketLimitReached, match=f"at most {limit} tickets"):
        book(use, show_id, 1, buyer_id=buyer_id)

    book(use, show_id, 1)  # another person may
    book(use, show_with(), 1, buyer_id=buyer_id)  # and the same one, of another show


def test_a_booking_has_never_more_than_ten_tickets_whatever_is_configured(
    configure: Configure, show_with: ShowFactory
) -> None:
    use = configure(50, 100)

    assert use.rules.current().limits == BookingLimits(10, 100)
    with pytest.raises(BookingTooLarge):
        book(use, show_with(), 11)


def test_a_repeated_key_has_its_booking_although_the_limits_are_narrower_by_now(
    configure: Configure, show_with: ShowFactory
) -> None:
    show_id, buyer_id, key = show_with(), uuid4(), IdempotencyKey("a key", "same")
    first = book(configure(10, 10), show_id, 8, buyer_id=buyer_id, key=key)
    narrower = configure(2, 2)

    assert book(narrower, show_id, 8, buyer_id=buyer_id, key=key) == first
    with pytest.raises(BookingTooLarge):
        book(narrower, show_id, 8, buyer_id=buyer_id)


def test_other_refusals_come_before_that_of_a_large_booking(
    configure: Configure, show_with: ShowFactory
) -> None:
    with pytest.raises(SoldOut):
        book(configure(2, 10), show_with(capacity=1), 3)


def test_a_large_booking_is_refused_by_name(
    configure: Configure, show_with: ShowFactory, issuer: TokenIssuer
) -> None:
    client = create_app(configure(2, 10)).test_client()
    wish = {"showId": str(show_with()), "quantity": 3}

    for path in ("/api/v1/bookings", "/api/v1/bookings/quote"):
        answer = client.post(path, json=wish, headers=issuer.user(uuid4()))

        assert (answer.status_code, answer.json["code"]) == (409, "BOOKING_TOO_LARGE")
        assert answer.json["error"] == "At most 2 tickets can be booked at once."


def test_ten_tickets_are_the_limits_while_nothing_else_is_known(use: Wiring) -> None:
    assert use.rules.current().limits == DEFAULT_RULES.limits == BookingLimits(10, 10)

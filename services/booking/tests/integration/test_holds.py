"""Seats that are held for a while."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from booking_service.domain.bookings import Booking, BookingStatus
from booking_service.domain.offers import Inventory
from booking_service.wiring import Wiring
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., UUID]
HoldFactory = Callable[..., Booking]


def seats(use: Wiring, show_id: UUID) -> tuple[int, int, int]:
    with use.read() as tx:
        inventory: Inventory | None = tx.inventory.of(show_id)
    assert inventory is not None
    return inventory.available, inventory.locked, inventory.sold


def test_what_is_to_be_paid_online_is_held_for_the_configured_time(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id = show_with(capacity=10)

    booking = hold(show_id, quantity=3)

    assert booking.status is BookingStatus.PENDING
    assert booking.expires_at is not None
    left = booking.expires_at - datetime.now(UTC)
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    assert seats(use, show_id) == (7, 3, 0)


def test_what_costs_nothing_is_not_held(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id = show_with(price_paise=0)

    assert hold(show_id).status is BookingStatus.CONFIRMED
    assert seats(use, show_id) == (99, 0, 1)


@pytest.mark.parametrize(("ended", "status"), [(False, "PENDING"), (True, "FAILED")])
def test_an_ended_hold_reads_as_failed_at_once(
    client: FlaskClient,
    issuer: TokenIssuer,
    show_with: ShowFactory,
    hold: HoldFactory,
    ended: bool,
    status: str,
) -> None:
    show_id, buyer_id = show_with(capacity=10), uuid4()
    booking = hold(show_id, quantity=4, buyer_id=buyer_id, ended=ended)
    catalog = issuer.service("catalog", audience="booking", scope="booking:availability:read")

    headers = issuer.user(buyer_id)
    [listed] = client.get("/api/v1/bookings", headers=headers).json["bookings"]
    read = client.get(f"/api/v1/bookings/{booking.id}", headers=headers).json["booking"]
    [seats] = client.get(f"/internal/availability?showIds={show_id}", headers=catalog).json["shows"]

    assert listed["status"] == read["status"] == status
    held = 0 if ended else 4
    assert (seats["available"], seats["locked"]) == (10 - held, held)
    assert seats["activeBookings"] == (0 if ended else 1)


def test_a_hold_is_released_once(use: Wiring, show_with: ShowFactory, hold: HoldFactory) -> None:
    show_id, buyer_id = show_with(capacity=10), uuid4()
    hold(show_id, quantity=4, buyer_id=buyer_id, ended=True)
    hold(show_id, quantity=2, buyer_id=buyer_id)

    with use.begin() as tx:
        released = [tx.reservations.release_expired(show_id) for _ in range(2)]

    assert released == [1, 0]
    assert seats(use, show_id) == (8, 2, 0)
    with use.engine.connect() as connection:
        active = connection.exec_driver_sql(
            "SELECT active FROM booking.buyer_show WHERE user_id = %s", (buyer_id,)
        )
        assert active.scalar_one() == 2

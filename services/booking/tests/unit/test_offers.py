from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from booking_service.domain.errors import (
    CapacityBelowSold,
    HasActiveBookings,
    ShowCancelled,
    VersionConflict,
)
from booking_service.domain.offers import Inventory, Offer, is_news, moves

OFFER = Offer(
    show_id=UUID(int=1),
    version=3,
    creator_id=UUID(int=2),
    title="Open Mic",
    venue="Cellar",
    city="Hyderabad",
    poster_image_url=None,
    starts_at=datetime(2026, 12, 1, 14, tzinfo=UTC),
    duration_minutes=60,
    capacity=10,
    price_paise=10_000,
    platform_fee_basis_points=None,
    on_sale=True,
)


def stored(*, sold: int = 0, locked: int = 0) -> Inventory:
    return Inventory(OFFER, available=10 - sold - locked, locked=locked, sold=sold)


def newer(**changes: Any) -> Offer:
    return replace(OFFER, version=4, **changes)


def test_a_newer_version_is_news() -> None:
    assert is_news(stored(), newer(title="Open Mic Special"))


def test_an_older_version_is_not_news() -> None:
    assert not is_news(stored(), replace(OFFER, version=2, title="Old"))


def test_the_same_version_come_again_is_not_news() -> None:
    assert not is_news(stored(), OFFER)


def test_the_same_version_with_other_content_is_refused() -> None:
    with pytest.raises(VersionConflict):
        is_news(stored(), replace(OFFER, title="Another"))


def test_the_capacity_may_shrink_to_what_is_taken_and_no_further() -> None:
    assert is_news(stored(sold=3, locked=1), newer(capacity=4))
    with pytest.raises(CapacityBelowSold):
        is_news(stored(sold=3, locked=1), newer(capacity=3))


@pytest.mark.parametrize("change", [{"on_sale": False}, {"price_paise": 20_000}])
def test_sale_and_price_are_fixed_while_tickets_are_taken(change: dict[str, Any]) -> None:
    assert is_news(stored(), newer(**change))
    with pytest.raises(HasActiveBookings):
        is_news(stored(sold=1), newer(**change))
    with pytest.raises(HasActiveBookings):
        is_news(stored(locked=1), newer(**change))


def test_a_change_for_shows_without_bookings_is_refused_once_a_ticket_is_taken() -> None:
    assert is_news(stored(), newer(title="Another"), unsold_only=True)
    with pytest.raises(HasActiveBookings):
        is_news(stored(locked=1), newer(title="Another"), unsold_only=True)
    assert not is_news(stored(sold=1), OFFER, unsold_only=True)


def test_a_cancelled_show_is_not_opened_again() -> None:
    closed = replace(OFFER, on_sale=False)
    cancelled = replace(stored(sold=1), offer=closed, cancelled_at=datetime.now(UTC))

    assert is_news(cancelled, newer(on_sale=False, title="Cancelled"))
    with pytest.raises(ShowCancelled):
        is_news(cancelled, newer())


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ({"venue": "Elsewhere"}, True),
        ({"city": "Mumbai"}, True),
        ({"starts_at": datetime(2026, 12, 2, tzinfo=UTC)}, True),
        ({"title": "Another", "capacity": 20, "duration_minutes": 90}, False),
    ],
)
def test_a_show_moves_with_its_time_or_place(change: dict[str, Any], moved: bool) -> None:
    assert moves(stored(sold=1), newer(**change)) is moved
    assert moves(stored(), newer(**change)) is moved  # the money of somebody may come late


def test_a_shows_own_platform_fee_precedes_its_creators() -> None:
    assert stored().own_platform_fee_basis_points is None
    of_creator = replace(stored(), creator_fee_basis_points=500)
    assert of_creator.own_platform_fee_basis_points == 500
    of_show = replace(of_creator, offer=replace(OFFER, platform_fee_basis_points=0))
    assert of_show.own_platform_fee_basis_points == 0

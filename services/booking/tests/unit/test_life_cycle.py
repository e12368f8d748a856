from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from booking_service.domain.bookings import (
    ACTIVE,
    EDGES,
    GIVEN_UP,
    SEATS_IN,
    BookingAtHand,
    BookingStatus,
    Counter,
    refund_for_buyer,
)
from booking_service.domain.errors import ShowStarted
from booking_service.domain.offers import Inventory, Offer
from booking_service.domain.refunds import (
    NOTHING,
    Money,
    RefundPolicy,
    RefundReason,
    RefundTier,
    has_right_after_move,
    refund_by_policy,
)

START = datetime(2026, 12, 1, 14, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
PRICE = Money(99_801, 8_983)
POLICY = RefundPolicy(
    (RefundTier(48, 10_000), RefundTier(24, 5_000)), refunds_convenience_fee=False
)


def booking(
    *,
    now: datetime,
    status: BookingStatus = BookingStatus.CONFIRMED,
    moved_at: datetime | None = None,
    cancelled_at: datetime | None = None,
) -> BookingAtHand:
    offer = Offer(
        show_id=UUID(int=1),
        version=1,
        creator_id=None,
        title="Open Mic",
        venue="Cellar",
        city="Hyderabad",
        poster_image_url=None,
        starts_at=START,
        duration_minutes=60,
        capacity=10,
        price_paise=49_900,
        platform_fee_basis_points=None,
        on_sale=cancelled_at is None,
    )
    inventory = Inventory(
        offer, available=8, locked=0, sold=2, moved_at=moved_at, cancelled_at=cancelled_at
    )
    return BookingAtHand(
        id=UUID(int=2),
        buyer_id=UUID(int=3),
        quantity=2,
        price=PRICE,
        platform_fee_basis_points=800,
        status=status,
        booked_at=START - timedelta(days=20),
        refund_policy=POLICY,
        anonymous=False,
        show=inventory,
        now=now,
    )


def test_every_state_has_its_edges_and_its_seats() -> None:
    assert set(EDGES) == set(SEATS_IN) == set(BookingStatus)
    assert {state for state, seats in SEATS_IN.items() if seats is not Counter.AVAILABLE} == ACTIVE
    assert set(GIVEN_UP) == ACTIVE
    assert all(after in EDGES[before] for before, after in GIVEN_UP.items())


def test_what_was_cancelled_stays_so_and_what_was_confirmed_never_fails() -> None:
    assert not EDGES[BookingStatus.CANCELLED]
    failing = {before for before, after in EDGES.items() if BookingStatus.FAILED in after}
    assert failing == {BookingStatus.PENDING}


@pytest.mark.parametrize(
    ("before_start", "refund"),
    [
        (48 * HOUR, Money(99_801, 0)),
        (48 * HOUR - SECOND, Money(49_901, 0)),  # half, rounded up
        (24 * HOUR, Money(49_901, 0)),
        (24 * HOUR - SECOND, NOTHING),
        (SECOND, NOTHING),
    ],
)
def test_the_first_tier_that_still_holds_is_refunded(
    before_start: timedelta, refund: Money
) -> None:
    now = START - before_start

    assert refund_by_policy(POLICY, PRICE, starts_at=START, now=now) == refund
    assert refund_for_buyer(booking(now=now)) == (refund, RefundReason.BUYER_CANCELLED)


def test_the_convenience_fee_is_refunded_in_the_same_share_if_the_policy_says_so() -> None:
    policy = replace(POLICY, refunds_convenience_fee=True)

    half = refund_by_policy(policy, PRICE, starts_at=START, now=START - 30 * HOUR)

    assert half == Money(49_901, 4_492)
    assert half.total_paise == 54_393


@pytest.mark.parametrize(
    ("paid", "refund"),
    [
        (Money(500, 35), Money(96, 4)),
        (Money(100, 7), Money(99, 1)),
        (Money(900, 63), Money(94, 6)),
        (Money(1_000, 70), Money(100, 7)),
    ],
)
def test_less_than_a_provider_sends_back_becomes_a_rupee(paid: Money, refund: Money) -> None:
    policy = RefundPolicy((RefundTier(24, 1_000),), refunds_convenience_fee=True)

    assert refund_by_policy(policy, paid, starts_at=START, now=START - 30 * HOUR) == refund


def test_what_was_not_paid_is_not_refunded() -> None:
    early = START - 100 * HOUR
    for status in (BookingStatus.CONFIRMED_UNPAID, BookingStatus.PENDING):
        assert refund_for_buyer(booking(now=early, status=status))[0] == NOTHING


def test_nothing_can_be_given_up_after_the_start_unless_the_show_was_cancelled() -> None:
    with pytest.raises(ShowStarted):
        refund_for_buyer(booking(now=START))

    cancelled = booking(now=START, cancelled_at=START - HOUR)
    assert refund_for_buyer(cancelled) == (PRICE, RefundReason.SHOW_CANCELLED)


@pytest.mark.parametrize(
    ("booked_at", "moved_at", "now", "right"),
    [
        (START - 500 * HOUR, None, START - 100 * HOUR, False),
        (START - 500 * HOUR, START - 400 * HOUR, START - 399 * HOUR, True),
        (START - 399 * HOUR, START - 400 * HOUR, START - 398 * HOUR, False),  # knew already
        (START - 500 * HOUR, START - 400 * HOUR, START - 232 * HOUR - SECOND, True),
        (START - 500 * HOUR, START - 400 * HOUR, START - 232 * HOUR, False),  # after 7 days
        (START - 500 * HOUR, START - 10 * HOUR, START - SECOND, True),
        (START - 500 * HOUR, START - 10 * HOUR, START, False),
    ],
)
def test_a_moved_show_gives_all_the_money_back_for_seven_days_or_until_the_start(
    booked_at: datetime, moved_at: datetime | None, now: datetime, right: bool
) -> None:
    assert right is has_right_after_move(
        booked_at=booked_at, moved_at=moved_at, starts_at=START, now=now
    )


def test_the_right_after_a_move_precedes_the_policy() -> None:
    late = START - 2 * HOUR

    assert refund_for_buyer(booking(now=late, moved_at=late - HOUR)) == (
        PRICE,
        RefundReason.SHOW_MOVED,
    )

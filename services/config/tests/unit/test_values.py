from collections.abc import Callable

import pytest

from config_service.domain.errors import InvalidSetting
from config_service.domain.values import (
    BookingLimits,
    HoldTime,
    RefundPolicy,
    RefundTier,
    Retention,
)

DAY = RefundTier(24, 5_000)


@pytest.mark.parametrize(("per_booking", "per_person"), [(1, 1), (10, 10), (4, 10), (10, 1_000)])
def test_limits_of_a_booking_are_at_most_ten_and_at_most_those_of_a_person(
    per_booking: int, per_person: int
) -> None:
    assert BookingLimits(per_booking, per_person).tickets_per_booking == per_booking


@pytest.mark.parametrize(
    "tiers",
    [(), (RefundTier(0, 1),), (RefundTier(48, 10_000), DAY), (RefundTier(24 * 365, 10_000),)],
)
def test_a_refund_policy_gives_less_the_nearer_the_start(tiers: tuple[RefundTier, ...]) -> None:
    assert RefundPolicy(tiers, refunds_convenience_fee=False).tiers == tiers


@pytest.mark.parametrize("minutes", [1, 60])
def test_a_hold_lasts_from_a_minute_to_an_hour(minutes: int) -> None:
    assert HoldTime(minutes).minutes == minutes


@pytest.mark.parametrize("years", [1, 30])
def test_records_are_kept_for_one_to_thirty_years(years: int) -> None:
    assert Retention(years).years == years


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: BookingLimits(0, 10), "Tickets per booking"),
        (lambda: BookingLimits(11, 20), "Tickets per booking"),
        (lambda: BookingLimits(1, 0), "Tickets per person"),
        (lambda: BookingLimits(1, 1_001), "Tickets per person"),
        (lambda: BookingLimits(5, 4), "more tickets than one person"),
        (lambda: HoldTime(0), "Hold minutes"),
        (lambda: HoldTime(61), "Hold minutes"),
        (lambda: Retention(0), "Retention years"),
        (lambda: Retention(31), "Retention years"),
        (lambda: RefundPolicy((RefundTier(-1, 1),), False), "Hours"),
        (lambda: RefundPolicy((RefundTier(24 * 365 + 1, 1),), False), "Hours"),
        (lambda: RefundPolicy((RefundTier(1, 0),), False), "more than 0"),
        (lambda: RefundPolicy((RefundTier(1, 10_001),), False), "at most 100"),
        (lambda: RefundPolicy((DAY, RefundTier(48, 1)), False), "sorted"),
        (lambda: RefundPolicy((DAY, RefundTier(24, 1)), False), "sorted"),
        (lambda: RefundPolicy((DAY, RefundTier(12, 5_000)), False), "less than"),
        (
            lambda: RefundPolicy(tuple(RefundTier(20 - n, 20 - n) for n in range(11)), False),
            "at most 10 tiers",
        ),
    ],
)
def test_an_impossible_value_is_refused(make: Callable[[], object], reason: str) -> None:
    with pytest.raises(InvalidSetting, match=reason):
        make()

from typing import Any

import pytest

from config_service.domain.errors import InvalidFeeSchedule
from config_service.domain.fees import (
    DEFAULT_FEE_SCHEDULE,
    BoundedSlab,
    FeeSchedule,
    FeeSlab,
    contiguous,
    upper_bounds,
)


def test_a_slab_ends_where_the_next_one_starts_and_the_last_is_open() -> None:
    assert upper_bounds(DEFAULT_FEE_SCHEDULE.slabs) == [199, 400, 1_000_000]


@pytest.mark.parametrize(
    ("slabs", "reason"),
    [
        ((), "start at 0"),
        ((FeeSlab(1, 700),), "start at 0"),
        ((FeeSlab(0, 700), FeeSlab(0, 800)), "sorted"),
        ((FeeSlab(0, 700), FeeSlab(300, 800), FeeSlab(200, 900)), "sorted"),
        ((FeeSlab(0, 700), FeeSlab(1_000_000, 800)), "below 1000000"),
        ((FeeSlab(0, -1),), "between 0 and 100"),
        ((FeeSlab(0, 10_001),), "between 0 and 100"),
        (tuple(FeeSlab(rupees, 700) for rupees in range(101)), "at most 100 slabs"),
    ],
)
def test_a_slab_table_with_a_gap_an_overlap_or_an_impossible_fee_is_refused(
    slabs: tuple[FeeSlab, ...], reason: str
) -> None:
    with pytest.raises(InvalidFeeSchedule, match=reason):
        FeeSchedule(platform_fee_basis_points=800, slabs=slabs)


@pytest.mark.parametrize("basis_points", [0, 10_000])
def test_the_platform_fee_may_be_anything_from_nothing_to_all(basis_points: int) -> None:
    assert FeeSchedule(basis_points, (FeeSlab(0, 0),)).platform_fee_basis_points == basis_points


@pytest.mark.parametrize("basis_points", [-1, 10_001])
def test_a_platform_fee_outside_0_to_100_percent_is_refused(basis_points: int) -> None:
    with pytest.raises(InvalidFeeSchedule, match="The platform fee"):
        FeeSchedule(basis_points, (FeeSlab(0, 0),))


@pytest.mark.parametrize("last", [1_000_000, 0, -1, None, 1e308, "and above"])
def test_the_last_slab_is_open_whatever_its_upper_bound_says(last: object) -> None:
    slabs = (BoundedSlab(0, 199, 700), BoundedSlab(200, last, 800))

    assert contiguous(slabs) == (FeeSlab(0, 700), FeeSlab(200, 800))


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        ([(0, 198), (200, None)], "gap"),
        ([(0, None), (200, None)], "gap"),
        ([(0, "199"), (200, None)], "gap"),
        ([(0, 199.5), (200, None)], "overlaps"),
        ([(0, 200), (200, None)], "overlaps"),
        ([(0, 1_000_000), (200, None)], "overlaps"),
        ([(0, True), (2, None)], "must end at 1"),
        ([(200, 400), (0, 199)], "sorted"),
        ([(0, 0), (0, None)], "sorted"),
    ],
)
def test_upper_bounds_that_leave_a_gap_or_overlap_are_refused(
    bounds: list[tuple[int, Any]], reason: str
) -> None:
    with pytest.raises(InvalidFeeSchedule, match=reason):
        contiguous([BoundedSlab(lower, upper, 700) for lower, upper in bounds])

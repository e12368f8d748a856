import pytest

from config_service.domain.errors import InvalidFeeSchedule
from config_service.domain.fees import DEFAULT_FEE_SCHEDULE, FeeSchedule, FeeSlab, upper_bounds


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

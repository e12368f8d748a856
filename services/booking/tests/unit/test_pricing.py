import re
from pathlib import Path

import pytest

from booking_service.domain.pricing import (
    FeeSchedule,
    FeeSlab,
    own_platform_fee,
    quote,
    share_of,
    slab_of,
)

SCHEDULE = FeeSchedule(3, 800, (FeeSlab(0, 700), FeeSlab(200, 800), FeeSlab(401, 900)))


@pytest.mark.parametrize(
    ("rupees", "basis_points"),
    [(0, 700), (199, 700), (200, 800), (400, 800), (401, 900), (1_000_000, 900)],
)
def test_a_slab_starts_at_its_lower_bound(rupees: int, basis_points: int) -> None:
    assert slab_of(rupees * 100, SCHEDULE).basis_points == basis_points


def test_the_buyer_pays_the_tickets_and_the_convenience_fee_of_the_single_price() -> None:
    lines = quote(
        unit_price_paise=49_900, quantity=2, schedule=SCHEDULE, own_platform_fee_basis_points=None
    )

    assert lines.ticket_total_paise == 99_800
    assert lines.convenience_fee_paise == 8_982  # 9 %
    assert lines.grand_total_paise == 108_782
    assert lines.platform_fee_paise == 7_984  # 8 %, from the creator's share
    assert lines.fee_schedule_version == 3


def test_a_shows_own_platform_fee_precedes_the_configured_one() -> None:
    lines = quote(
        unit_price_paise=10_000, quantity=1, schedule=SCHEDULE, own_platform_fee_basis_points=0
    )

    assert lines.platform_fee_paise == 0


def test_a_free_show_costs_nothing() -> None:
    lines = quote(
        unit_price_paise=0, quantity=10, schedule=SCHEDULE, own_platform_fee_basis_points=None
    )

    assert lines.grand_total_paise == 0


@pytest.mark.parametrize(
    ("amount", "basis_points", "share"),
    [(50, 100, 1), (49, 100, 0), (150, 100, 2), (1, 10_000, 1), (99_999, 0, 0)],
)
def test_a_share_is_rounded_half_up(amount: int, basis_points: int, share: int) -> None:
    assert share_of(amount, basis_points) == share


def test_a_fee_is_rounded_once_for_the_whole_line() -> None:
    schedule = FeeSchedule(1, 0, (FeeSlab(0, 50),))
    lines = quote(
        unit_price_paise=100, quantity=10, schedule=schedule, own_platform_fee_basis_points=None
    )

    assert lines.convenience_fee_paise == 5  # per ticket it would have been 10


RULES = Path(__file__).parents[4] / "docs" / "rules.md"


def worked_examples() -> list[tuple[float, ...]]:
    """Return ticket, quantity, tickets, fee, what the buyer pays and platform fee, in rupees."""
    rows = re.findall(
        r"^\| ₹([\d.]+) \| (\d+) \| ₹([\d.]+) \| \d+ % \| ₹([\d.]+) \| ₹([\d.]+) \| ₹([\d.]+) \|$",
        RULES.read_text(),
        re.MULTILINE,
    )
    return [tuple(map(float, row)) for row in rows]


def test_the_worked_examples_of_the_rules_are_what_is_charged() -> None:
    examples = worked_examples()
    assert len(examples) == 8

    for ticket, quantity, tickets, fee, buyer_pays, platform_fee in examples:
        lines = quote(
            unit_price_paise=round(ticket * 100),
            quantity=int(quantity),
            schedule=SCHEDULE,
            own_platform_fee_basis_points=None,
        )
        assert lines.ticket_total_paise == round(tickets * 100)
        assert lines.convenience_fee_paise == round(fee * 100)
        assert lines.grand_total_paise == round(buyer_pays * 100)
        assert lines.platform_fee_paise == round(platform_fee * 100)


def examples_of_precedence() -> list[tuple[str, ...]]:
    """Return the show's rate, the creator's, the one that holds, and the fee."""
    row = r"^\| (none|[\d.]+ %) \| (none|[\d.]+ %) \| ([\d.]+ %) \| ₹([\d.]+) \|$"
    return re.findall(row, RULES.read_text(), re.MULTILINE)


def test_the_platform_fee_is_the_shows_else_the_creators_else_the_configured_one() -> None:
    def basis_points(rate: str) -> int | None:
        return None if rate == "none" else round(float(rate.removesuffix(" %")) * 100)

    examples = examples_of_precedence()
    assert len(examples) == 7

    for of_show, of_creator, rate, fee in examples:
        lines = quote(
            unit_price_paise=49_900,
            quantity=2,
            schedule=SCHEDULE,
            own_platform_fee_basis_points=own_platform_fee(
                of_show=basis_points(of_show), of_creator=basis_points(of_creator)
            ),
        )
        assert lines.platform_fee_basis_points == basis_points(rate)
        assert lines.platform_fee_paise == round(float(fee) * 100)

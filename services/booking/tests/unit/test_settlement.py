import re
from pathlib import Path

from booking_service.domain.refunds import Money
from booking_service.domain.settlement import captured, refunded

RULES = Path(__file__).parents[4] / "docs" / "rules.md"
PAYABLE = re.compile(
    r"^\| ₹([\d.]+) \| ([\d.]+) % \| ₹([\d.]+) \| ₹([\d.]+) \| ₹([\d.]+) \|$", re.MULTILINE
)


def test_the_worked_examples_of_the_rules_are_what_is_paid_out() -> None:
    examples = PAYABLE.findall(RULES.read_text())
    assert len(examples) == 7

    for row in examples:
        tickets, rate, back, fee, payable = (round(float(value) * 100) for value in row)
        price, given_back = Money(tickets, 0), Money(back, 0)
        entries = [captured(price, platform_fee_basis_points=rate)]
        if back:
            entries.append(refunded(price, given_back, platform_fee_basis_points=rate))
        fees = sum(entry.platform_fee_paise for entry in entries)
        left = sum(entry.money.ticket_paise for entry in entries)
        assert (fees, left - fees) == (fee, payable), row

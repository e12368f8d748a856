from datetime import UTC, datetime

import pytest

from booking_service.domain.notices import in_india, rupees


@pytest.mark.parametrize(
    ("paise", "written"),
    [
        (0, "₹0.00"),
        (5, "₹0.05"),
        (99_999, "₹999.99"),
        (100_000, "₹1,000.00"),
        (123_450, "₹1,234.50"),
        (9_999_900, "₹99,999.00"),
        (10_000_000, "₹1,00,000.00"),
        (123_456_750, "₹12,34,567.50"),
        (1_234_567_800, "₹1,23,45,678.00"),
    ],
)
def test_money_is_written_exactly_as_in_india(paise: int, written: str) -> None:
    assert rupees(paise) == written


@pytest.mark.parametrize(
    ("moment", "read"),
    [
        (datetime(2030, 1, 4, 14, 30, tzinfo=UTC), "Friday, 4 January 2030, 8:00 pm IST"),
        (datetime(2030, 1, 4, 18, 29, tzinfo=UTC), "Friday, 4 January 2030, 11:59 pm IST"),
        (datetime(2030, 1, 4, 18, 30, tzinfo=UTC), "Saturday, 5 January 2030, 12:00 am IST"),
        (datetime(2030, 6, 1, 6, 35, tzinfo=UTC), "Saturday, 1 June 2030, 12:05 pm IST"),
    ],
)
def test_moments_are_told_as_clocks_in_india_show_them(moment: datetime, read: str) -> None:
    assert in_india(moment) == read

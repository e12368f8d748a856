from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from booking_service.domain.pricing import FeeSchedule, FeeSlab
from booking_service.repositories.fee_schedules import CurrentFees
from booking_service.repositories.transaction import Transaction
from booking_service.wiring import Wiring


def newest(use: Wiring) -> FeeSchedule:
    with use.read() as tx:
        schedule = tx.fee_schedules.newest()
    assert schedule is not None
    return schedule


def test_a_newer_version_is_charged_by_within_a_moment(use: Wiring) -> None:
    before = newest(use)
    newer = replace(before, version=before.version + 1)

    with use.begin() as tx:
        tx.fee_schedules.confirm(newer)

    assert CurrentFees(use.read).current() == newer


def test_without_the_database_the_last_fees_seen_go_on(use: Wiring) -> None:
    reached = [use.read]

    @contextmanager
    def read() -> Iterator[Transaction]:
        if not reached:
            raise OperationalError("SELECT", None, OSError("connection refused"))
        with reached[0]() as tx:
            yield tx

    fees = CurrentFees(read)
    seen = fees.current()
    reached.clear()
    fees._kept._fresh_until = 0.0  # as if a second had gone by

    assert fees.current() == seen


@pytest.mark.parametrize(
    "slabs",
    [(), (FeeSlab(1, 700),), (FeeSlab(0, 700), FeeSlab(0, 800)), (FeeSlab(0, 10_001),)],
)
def test_fees_that_nobody_could_be_charged_by_are_none(slabs: tuple[FeeSlab, ...]) -> None:
    with pytest.raises(ValueError, match=r"slabs|share"):
        FeeSchedule(1, 800, slabs)

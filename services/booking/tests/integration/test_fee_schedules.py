from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from services.booking.tests.integration.conftest import Config
from sqlalchemy.exc import OperationalError

from booking_service.clients.config import ConfigClient
from booking_service.domain.pricing import FeeSchedule, FeeSlab
from booking_service.repositories.fee_schedules import CurrentFees
from booking_service.repositories.transaction import Transaction
from booking_service.usecases.refresh_fee_schedule import refresh_fee_schedule
from booking_service.wiring import Wiring
from service_kit.peers import PeerUnavailable


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


def wire(schedule: FeeSchedule) -> dict[str, object]:
    return {
        "version": schedule.version,
        "platformFeeBasisPoints": schedule.platform_fee_basis_points,
        "slabs": [
            {"fromRupees": slab.from_rupees, "basisPoints": slab.basis_points}
            for slab in schedule.slabs
        ],
    }


@pytest.mark.parametrize("back", [0, 1])
def test_a_config_that_was_put_back_is_not_followed_before_it_is_past_what_is_known(
    use: Wiring, config: Config, config_client: ConfigClient, back: int
) -> None:
    """Its next change has a number that bookings have charged something else by."""
    before = newest(use)
    known = replace(before, version=before.version + 1, slabs=(FeeSlab(0, 1_000),))
    config.body = wire(known)
    refresh_fee_schedule(use.begin, config_client)
    other = replace(known, version=known.version - back, slabs=(FeeSlab(0, 500),))
    config.body = wire(other)

    with pytest.raises(PeerUnavailable, match=f"another version {other.version} than was known"):
        refresh_fee_schedule(use.begin, config_client)

    assert newest(use) == known
    config.body = wire(replace(before, version=known.version + 1))
    refresh_fee_schedule(use.begin, config_client)


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

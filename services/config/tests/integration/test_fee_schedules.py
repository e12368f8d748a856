from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from config_service.domain.fees import FeeSchedule
from config_service.seed import seed
from config_service.usecases.set_fee_schedule import set_fee_schedule
from config_service.wiring import Wiring
from devstack.testing import Databases, run_cli


def in_force(use: Wiring) -> tuple[int, FeeSchedule]:
    with use.read() as tx:
        current = tx.fee_schedules.in_force()
    assert current is not None
    return current.version, current.schedule


def with_platform_fee(use: Wiring, basis_points: int) -> FeeSchedule:
    return replace(in_force(use)[1], platform_fee_basis_points=basis_points)


def test_a_new_schedule_is_the_next_version_and_in_force_at_once(use: Wiring) -> None:
    version, _ = in_force(use)
    schedule = with_platform_fee(use, 950)

    set_fee_schedule(use.begin, schedule=schedule, author="someone", reason="a test")

    assert in_force(use) == (version + 1, schedule)


def test_setting_what_is_in_force_makes_no_new_version(use: Wiring) -> None:
    version, schedule = in_force(use)

    set_fee_schedule(use.begin, schedule=schedule, author="someone", reason="again")

    assert in_force(use)[0] == version


def test_versions_set_at_the_same_time_get_numbers_of_their_own(use: Wiring) -> None:
    version, _ = in_force(use)
    schedules = [with_platform_fee(use, 1000 + number) for number in range(8)]

    with ThreadPoolExecutor(max_workers=8) as admins:
        made = admins.map(
            lambda schedule: (
                set_fee_schedule(
                    use.begin, schedule=schedule, author="someone", reason="a race"
                ).version
            ),
            schedules,
        )

    assert sorted(made) == list(range(version + 1, version + 9))


def test_seeding_again_keeps_what_was_set_since(use: Wiring) -> None:
    before = in_force(use)

    seed(use.begin)

    assert in_force(use) == before


@pytest.mark.parametrize("statement", ["UPDATE", "DELETE"])
def test_the_service_cannot_rewrite_history(use: Wiring, statement: str) -> None:
    sql = {
        "UPDATE": "UPDATE config.fee_schedule_version SET reason = ''",
        "DELETE": "DELETE FROM config.fee_schedule_version",
    }[statement]
    with use.engine.connect() as connection, pytest.raises(Exception, match="permission denied"):
        connection.exec_driver_sql(sql)


def test_models_and_migrations_describe_the_same_schema(databases: Databases) -> None:
    owner_url = databases.of("config").owner_url

    assert "newest 2026" in run_cli("config", "migrate-status", owner_url=owner_url)

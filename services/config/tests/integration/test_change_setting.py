from collections.abc import Container
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier
from uuid import UUID, uuid4

import pytest

from config_service.domain.errors import ChangeScheduled, EffectiveFromRefused, SettingChanged
from config_service.domain.settings import (
    FEES,
    HOLD_TIME,
    KEYS,
    RETENTION,
    SYSTEM,
    Edit,
    Key,
    Standing,
    State,
    V,
    Version,
)
from config_service.domain.values import HoldTime, Retention
from config_service.seed import seed
from config_service.usecases.change_setting import change_setting
from config_service.wiring import Wiring
from devstack.testing import eventually

ADMIN = uuid4()
ALL_TAGS = type("AllTags", (), {"__contains__": lambda *_: True})()


def standing(use: Wiring, key: Key[V]) -> Standing[V]:
    with use.read() as tx:
        return tx.settings.standing(key)


def history(use: Wiring, key: Key[V]) -> list[Version[V]]:
    with use.read() as tx:
        return list(tx.settings.history(key, before=None, limit=100))


def change(
    use: Wiring,
    key: Key[V],
    value: V,
    *,
    author: UUID | None = ADMIN,
    effective_from: datetime | None = None,
    expected: Container[str] | None = ALL_TAGS,
) -> Standing[V]:
    return change_setting(
        use.begin,
        key=key,
        change=lambda _: value,
        edit=Edit(author=author, reason="a test", effective_from=effective_from),
        expected=expected,
    )


def soon(use: Wiring, **ahead: float) -> datetime:
    """Return a time in the future of Postgres' clock, the only one that counts."""
    with use.read() as tx:
        return tx.settings.now() + timedelta(**ahead)


@pytest.fixture
def hold_minutes(use: Wiring) -> int:
    """Hold minutes that are in force with nothing scheduled."""
    change(use, HOLD_TIME, HoldTime(11))
    change(use, HOLD_TIME, HoldTime(10))
    assert not standing(use, HOLD_TIME).scheduled
    return 10


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_key_has_a_version_from_the_start_set_by_the_system(
    use: Wiring, key: Key[object]
) -> None:
    first = history(use, key)[-1]

    assert (first.number, first.author) == (1, SYSTEM)


def test_a_change_is_the_next_version_and_in_force_at_once(use: Wiring, hold_minutes: int) -> None:
    before = standing(use, HOLD_TIME)

    after = change(use, HOLD_TIME, HoldTime(hold_minutes + 5))

    assert after.in_force is not None
    assert after.in_force.value == HoldTime(15)
    assert after.newest == before.newest + 1
    assert after.tag != before.tag
    assert after == standing(use, HOLD_TIME)


def test_fees_count_in_versions_of_their_own(use: Wiring) -> None:
    before = standing(use, FEES).current()
    schedule = replace(before.value, platform_fee_basis_points=950)

    after = change(use, FEES, schedule).current()

    assert (after.number, after.value) == (before.number + 1, schedule)


def test_what_is_in_force_already_is_not_written_again(use: Wiring, hold_minutes: int) -> None:
    before = standing(use, HOLD_TIME)

    assert change(use, HOLD_TIME, HoldTime(hold_minutes), expected=None) == before


def test_of_writers_who_have_seen_the_same_one_wins_and_the_others_are_told(
    use: Wiring, hold_minutes: int
) -> None:
    seen = standing(use, HOLD_TIME)
    at_once = Barrier(6)

    def write(number: int) -> str:
        at_once.wait()
        try:
            change(use, HOLD_TIME, HoldTime(hold_minutes + number), expected={seen.tag})
        except SettingChanged:
            return "told"
        return "won"

    with ThreadPoolExecutor(max_workers=6) as admins:
        outcomes = list(admins.map(write, range(1, 7)))

    assert sorted(outcomes) == ["told"] * 5 + ["won"]
    assert standing(use, HOLD_TIME).newest == seen.newest + 1


def test_writers_who_say_nothing_queue_up_and_leave_no_gap(use: Wiring) -> None:
    newest = standing(use, FEES).newest
    schedule = standing(use, FEES).current().value

    with ThreadPoolExecutor(max_workers=8) as admins:
        list(
            admins.map(
                lambda share: change(
                    use, FEES, replace(schedule, platform_fee_basis_points=share), expected=None
                ),
                range(1000, 1008),
            )
        )

    numbers = [version.number for version in history(use, FEES)]
    assert numbers == list(range(newest + 8, 0, -1))
    assert [one.state for one in history(use, FEES)[:9]] == [State.IN_FORCE] + [State.PAST] * 8


def test_a_scheduled_change_comes_into_force_by_itself(use: Wiring, hold_minutes: int) -> None:
    scheduled = change(use, HOLD_TIME, HoldTime(20), effective_from=soon(use, seconds=1))

    assert scheduled.current().value == HoldTime(hold_minutes)
    assert [version.value for version in scheduled.scheduled] == [HoldTime(20)]
    eventually(lambda: standing(use, HOLD_TIME).current().value == HoldTime(20))
    assert standing(use, HOLD_TIME).tag != scheduled.tag
    assert [one.state for one in history(use, HOLD_TIME)[:2]] == [State.IN_FORCE, State.PAST]


@pytest.mark.usefixtures("hold_minutes")
def test_a_later_change_replaces_what_was_scheduled_after_its_start(use: Wiring) -> None:
    change(use, HOLD_TIME, HoldTime(20), effective_from=soon(use, days=1))
    change(use, HOLD_TIME, HoldTime(30), effective_from=soon(use, days=3))

    both = standing(use, HOLD_TIME).scheduled
    after = change(use, HOLD_TIME, HoldTime(40), effective_from=soon(use, days=2))

    assert [version.value.minutes for version in both] == [20, 30]
    assert [version.value.minutes for version in after.scheduled] == [20, 40]
    assert [one.state for one in history(use, HOLD_TIME)[:4]] == [
        State.SCHEDULED,
        State.REPLACED,
        State.SCHEDULED,
        State.IN_FORCE,
    ]


def test_setting_again_what_is_in_force_takes_a_scheduled_change_back(
    use: Wiring, hold_minutes: int
) -> None:
    change(use, HOLD_TIME, HoldTime(20), effective_from=soon(use, days=1))

    after = change(use, HOLD_TIME, HoldTime(hold_minutes))

    assert after.scheduled == ()
    assert after.current().value == HoldTime(hold_minutes)


def test_a_scheduled_change_is_not_replaced_by_somebody_who_does_not_know_of_it(
    use: Wiring, hold_minutes: int
) -> None:
    seen = standing(use, HOLD_TIME)
    change(use, HOLD_TIME, HoldTime(20), effective_from=soon(use, days=1))

    with pytest.raises(ChangeScheduled):
        change(use, HOLD_TIME, HoldTime(hold_minutes + 1), expected=None)
    with pytest.raises(SettingChanged):
        change(use, HOLD_TIME, HoldTime(hold_minutes + 1), expected={seen.tag})


@pytest.mark.parametrize("ahead", [{"seconds": -1}, {"days": 2 * 365 + 1}])
def test_a_change_starts_neither_in_the_past_nor_in_the_far_future(
    use: Wiring, hold_minutes: int, ahead: dict[str, float]
) -> None:
    newest = standing(use, HOLD_TIME).newest

    with pytest.raises(EffectiveFromRefused):
        change(use, HOLD_TIME, HoldTime(hold_minutes + 1), effective_from=soon(use, **ahead))

    assert standing(use, HOLD_TIME).newest == newest


def test_an_author_who_is_forgotten_leaves_the_version_without_a_name(use: Wiring) -> None:
    author = uuid4()
    years = standing(use, RETENTION).current().value.years
    known = change(use, RETENTION, Retention(years + 1), author=author).current()
    with use.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM config.author WHERE user_id = %s", (author,))

    forgotten = standing(use, RETENTION).current()

    assert known.author == str(author)
    assert forgotten == replace(known, author=None)


def test_seeding_again_keeps_what_was_set_since(use: Wiring) -> None:
    before = standing(use, FEES)

    seed(use.begin)

    assert standing(use, FEES) == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE config.fee_schedule_version SET reason = ''",
        "DELETE FROM config.fee_schedule_version",
        "TRUNCATE config.fee_schedule_version",
        "UPDATE config.setting_version SET reason = ''",
        "DELETE FROM config.setting_version",
        "TRUNCATE config.setting_version",
        "UPDATE config.author SET reference = 'somebody else'",
    ],
)
def test_the_service_cannot_rewrite_history(use: Wiring, statement: str) -> None:
    with use.engine.connect() as connection, pytest.raises(Exception, match="permission denied"):
        connection.exec_driver_sql(statement)

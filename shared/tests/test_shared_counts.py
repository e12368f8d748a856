"""Counts that processes share through a table, shown on two processes and a clock of their own."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from devstack.testing import Databases
from service_kit import shared_counts
from service_kit.database import TableBase, connect_to, schema_metadata
from service_kit.shared_counts import CountColumns, SharedCounts

MINUTE = 60
NOON = 1_800_014_400.0  # of some day, a multiple of a minute and of an hour


class CountRow(CountColumns, TableBase):
    __tablename__ = "counts_of_a_test"
    metadata = schema_metadata("config")


class Clock:
    """Says what it is told to say."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def engine(databases: Databases) -> Iterator[Engine]:
    database = databases.of("config")
    owner = connect_to(database.owner_url, application="kit-test")
    CountRow.metadata.create_all(owner)
    engine = connect_to(database.url, application="kit-test", pool_size=4)
    yield engine
    engine.dispose()
    CountRow.metadata.drop_all(owner)
    owner.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def process(engine: Engine, clock: Clock) -> Callable[[], SharedCounts]:
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM config.counts_of_a_test"))
    return lambda: SharedCounts(engine, CountRow, secret="of these tests", clock=clock)


def rows(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(CountRow)) or 0)


def test_a_process_counts_without_asking_anybody(
    process: Callable[[], SharedCounts], engine: Engine
) -> None:
    counts = process()

    assert [counts.incr("a", MINUTE) for _ in range(3)] == [1, 2, 3]
    assert counts.incr("b", MINUTE) == 1
    assert rows(engine) == 0


def test_processes_learn_what_the_others_counted(process: Callable[[], SharedCounts]) -> None:
    one, other = process(), process()
    for _ in range(5):
        one.incr("a", MINUTE)
    one.share()
    other.incr("a", MINUTE)
    assert other.get("a") == 1  # it has not asked yet

    other.share()

    assert other.incr("a", MINUTE) == 7
    one.incr("a", MINUTE)
    one.share()
    assert one.get("a") == 7  # with the one that has not been told, 8


def test_a_process_learns_of_others_a_second_after_it_counted_somebody_itself(
    process: Callable[[], SharedCounts],
) -> None:
    one, other = process(), process()
    one.incr("a", MINUTE)
    one.share()
    for _ in range(9):
        other.incr("a", MINUTE)
    other.share()
    one.share()  # nobody asked of it since

    assert one.incr("a", MINUTE) == 2
    one.share()
    assert one.incr("a", MINUTE) == 12


def test_what_was_told_is_told_once(process: Callable[[], SharedCounts]) -> None:
    counts, other = process(), process()
    counts.incr("a", MINUTE)
    for _ in range(3):
        counts.share()

    other.incr("a", MINUTE)
    other.share()

    assert other.get("a") == 2


def test_a_window_begins_at_a_multiple_of_its_length(
    process: Callable[[], SharedCounts], clock: Clock
) -> None:
    counts = process()
    clock.now = NOON + 59.9
    counts.incr("a", MINUTE)
    assert counts.get_expiry("a") == NOON + MINUTE

    clock.now = NOON + 60

    assert counts.incr("a", MINUTE) == 1
    assert counts.get_expiry("a") == NOON + 2 * MINUTE


def test_a_clock_that_steps_back_keeps_nobody_waiting(
    process: Callable[[], SharedCounts], clock: Clock
) -> None:
    counts = process()
    counts.incr("a", MINUTE)

    clock.now = NOON - 7200

    assert counts.incr("a", MINUTE) == 1
    assert counts.get_expiry("a") == NOON - 7200 + MINUTE


def test_without_the_database_it_goes_on_counting_and_tells_later(
    process: Callable[[], SharedCounts], engine: Engine, clock: Clock
) -> None:
    nobody = connect_to("postgresql://nobody@127.0.0.1:9/nowhere", application="kit-test")
    counts = SharedCounts(nobody, CountRow, secret="of these tests", clock=clock)
    counts.incr("a", MINUTE)
    with pytest.raises(SQLAlchemyError):
        counts.share()
    assert counts.incr("a", MINUTE) == 2

    counts._engine = engine
    counts.share()

    other = process()
    other.incr("a", MINUTE)
    other.share()
    assert other.get("a") == 3


def test_a_table_that_forgot_takes_nothing_back(
    process: Callable[[], SharedCounts], engine: Engine
) -> None:
    """As after a crash of the database: what is not logged is gone."""
    counts = process()
    for _ in range(5):
        counts.incr("a", MINUTE)
    counts.share()
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM config.counts_of_a_test"))

    counts.incr("a", MINUTE)
    counts.share()

    assert counts.get("a") == 6


def test_windows_that_are_over_go_also_if_nobody_asks_any_more(
    process: Callable[[], SharedCounts], engine: Engine, clock: Clock
) -> None:
    counts = process()
    counts.incr("b", MINUTE)
    counts.share()
    with engine.begin() as connection:  # NOON is in the future, for the database
        over = "UPDATE config.counts_of_a_test SET ends_at = now() - interval '61 s'"
        connection.execute(text(over))
    clock.now += MINUTE

    counts.share()

    assert rows(engine) == 0
    assert counts.get("b") == 0


def test_the_table_names_nobody(
    process: Callable[[], SharedCounts], engine: Engine, clock: Clock
) -> None:
    counts = process()
    counts.incr("somebody@comedy.example", MINUTE)
    counts.share()

    clock.now += MINUTE
    counts.incr("somebody@comedy.example", MINUTE)
    counts.share()

    with engine.connect() as connection:
        digests = {row.digest for row in connection.execute(select(CountRow.__table__))}

    assert len(digests) == 2  # nor that it was the same
    assert {len(digest) for digest in digests} == {16}
    assert not any(b"somebody" in digest for digest in digests)


def test_the_table_is_not_logged(process: Callable[[], SharedCounts], engine: Engine) -> None:
    assert process()
    kind = text("SELECT relpersistence FROM pg_class WHERE relname = 'counts_of_a_test'")
    with engine.connect() as connection:
        assert connection.scalar(kind) == "u"


def test_processes_that_share_the_same_at_once_do_not_block_each_other(
    process: Callable[[], SharedCounts],
) -> None:
    everybody = [process() for _ in range(4)]
    keys = [f"key {n}" for n in range(200)]
    with ThreadPoolExecutor(max_workers=4) as pool:
        for _ in range(10):
            for n, counts in enumerate(everybody):
                for key in keys if n % 2 else reversed(keys):
                    counts.incr(key, MINUTE)
            list(pool.map(SharedCounts.share, everybody))

    for counts in everybody:
        for key in keys:
            counts.incr(key, MINUTE)
        counts.share()
    assert {everybody[-1].get(key) for key in keys} == {44}


def test_what_is_kept_in_memory_is_bounded_and_what_was_not_told_is_kept_longest(
    process: Callable[[], SharedCounts], monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr(shared_counts, "MOST_KEPT", 3)
    counts = process()
    counts.incr("ended", MINUTE)
    clock.now += MINUTE
    for _ in range(5):
        counts.incr("told", MINUTE)
    counts.share()
    counts.incr("untold", MINUTE)

    for key in "bc":
        counts.incr(key, MINUTE)

    assert counts.incr("untold", MINUTE) == 2
    assert counts.get("told") == 0
    assert counts.incr("told", MINUTE) == 1  # nothing could go but all
    counts.share()
    assert counts.get("told") == 6


def test_when_it_begins_to_fail_that_is_logged_once(
    engine: Engine, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = connect_to("postgresql://nobody@127.0.0.1:9/nowhere", application="kit-test")
    counts = SharedCounts(nobody, CountRow, secret="of these tests", clock=clock)
    counts.incr("a", MINUTE)

    assert [counts.share_or_say_why() for _ in range(2)] == [False, False]
    counts._engine = engine
    assert counts.share_or_say_why()

    assert capsys.readouterr().out.count("counts are not shared") == 1

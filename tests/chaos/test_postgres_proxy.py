"""Real clients talk to a real Postgres through the proxy: it sees each commit, and strikes it."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from chaos.faults import CommitPoint, Deed, Fault, Faults, Side
from chaos.owners import Owners
from devstack.supervision import Process, Supervisor, log_tail
from devstack.testing import eventually

# Connections of clients that were killed are closed by the collector, at a time of its own.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

Proxied = Callable[..., str]

NOTE = "INSERT INTO note VALUES (%s)"
BOTH_SIDES = pytest.mark.parametrize(
    ("side", "left"), [(Side.BEFORE, []), (Side.AFTER, ["first"])], ids=["before", "after"]
)


@pytest.fixture
def client(proxied: Proxied) -> Iterator[psycopg.Connection]:
    connection = psycopg.connect(proxied())
    yield connection
    connection.close()


def notes(direct: psycopg.Connection) -> list[str]:
    return [row[0] for row in direct.execute("SELECT text FROM note ORDER BY text")]


def seen(faults: Faults) -> list[str]:
    return [f"{commit.label} #{commit.number}" for commit in faults.commits()]


def at(label: str, side: Side, deed: Deed, *, process: str = "tests", number: int = 1) -> Fault:
    return Fault(CommitPoint(process, label, number), side, deed, seconds=0.3)


def test_transactions_that_wrote_are_counted_each_kind_by_itself(
    client: psycopg.Connection, faults: Faults
) -> None:
    for text in ("first", "second"):
        client.execute(NOTE, (text,))
        client.commit()
    client.execute("INSERT INTO page VALUES (%s)", ("third",))
    client.execute("UPDATE note SET text = text || '!'")
    client.execute("DELETE FROM note")
    client.commit()

    assert seen(faults) == ["INSERT note #1", "INSERT note #2", "INSERT page, UPDATE note #1"]
    assert {commit.process for commit in faults.commits()} == {"tests"}


def test_what_wrote_nothing_is_not_counted(client: psycopg.Connection, faults: Faults) -> None:
    client.execute("SELECT 1")
    client.commit()
    client.execute("UPDATE note SET text = 'x' WHERE text = %s", ("absent",))
    client.commit()
    client.execute(NOTE, ("first",))
    client.rollback()
    with pytest.raises(psycopg.errors.UndefinedTable):
        client.execute("INSERT INTO absent VALUES (1)")
    client.commit()

    assert seen(faults) == []


def test_a_transaction_that_failed_after_writing_is_not_counted(
    client: psycopg.Connection, faults: Faults, direct: psycopg.Connection
) -> None:
    client.execute(NOTE, ("first",))
    with pytest.raises(psycopg.errors.UniqueViolation):
        client.execute(NOTE, ("first",))
    client.execute("COMMIT")

    assert (seen(faults), notes(direct)) == ([], [])


def test_a_savepoint_is_no_transaction(
    client: psycopg.Connection, faults: Faults, direct: psycopg.Connection
) -> None:
    with client.transaction():
        client.execute(NOTE, ("first",))
        with pytest.raises(psycopg.errors.UniqueViolation), client.transaction():
            client.execute(NOTE, ("first",))
        with client.transaction():
            client.execute(NOTE, ("second",))

    assert (seen(faults), notes(direct)) == (["INSERT note #1"], ["first", "second"])


def test_a_function_that_writes_is_counted(client: psycopg.Connection, faults: Faults) -> None:
    client.execute("SELECT write_note(%s)", ("first",))
    client.commit()

    assert seen(faults) == ["write_note() #1"]


def test_single_statements_are_transactions(client: psycopg.Connection, faults: Faults) -> None:
    client.autocommit = True
    client.execute(NOTE, ("first",))
    client.execute("INSERT INTO page VALUES ('without parameters')")
    client.execute("SELECT 1")
    client.execute("UPDATE note SET text = %s WHERE text = 'absent'", ("x",))
    client.execute("BEGIN; INSERT INTO page VALUES ('two in one message'); COMMIT")

    assert seen(faults) == ["INSERT note #1", "INSERT page #1", "INSERT page #2"]


def test_prepared_statements_are_read_each_time(
    client: psycopg.Connection, faults: Faults, direct: psycopg.Connection
) -> None:
    for text in "abc":
        client.execute(NOTE, (text,), prepare=True)
        client.commit()

    assert seen(faults) == ["INSERT note #1", "INSERT note #2", "INSERT note #3"]
    assert notes(direct) == ["a", "b", "c"]


def test_a_pipeline_is_followed_statement_by_statement(
    client: psycopg.Connection, faults: Faults, direct: psycopg.Connection
) -> None:
    with client.pipeline():
        client.execute(NOTE, ("first",))
        client.commit()
        client.execute("SELECT 1")
        client.commit()
        client.execute("INSERT INTO page VALUES (%s)", ("second",))
        client.commit()

    assert seen(faults) == ["INSERT note #1", "INSERT page #1"]
    assert notes(direct) == ["first"]


def test_a_pipeline_of_single_statements_commits_at_its_end(
    client: psycopg.Connection, faults: Faults
) -> None:
    client.autocommit = True
    with client.pipeline():
        client.execute("SELECT 1")
        client.execute("INSERT INTO page VALUES (%s)", ("first",))
        client.execute(NOTE, ("first",))

    assert seen(faults) == ["INSERT page, INSERT note #1"]


def test_an_error_in_a_pipeline_reaches_the_client_and_nothing_is_counted(
    client: psycopg.Connection, faults: Faults, direct: psycopg.Connection
) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        _pipe(client, "first", "first", "second")
    client.rollback()
    client.execute(NOTE, ("third",))
    client.commit()

    assert (seen(faults), notes(direct)) == (["INSERT note #1"], ["third"])


def _pipe(client: psycopg.Connection, *texts: str) -> None:
    with client.pipeline():
        for text in texts:
            client.execute(NOTE, (text,))
        client.commit()


def test_big_messages_pass_unchanged(client: psycopg.Connection, faults: Faults) -> None:
    big = "x" * 20_000_000
    client.execute("INSERT INTO page VALUES (%s)", (big,))
    row = client.execute("SELECT text FROM page").fetchone()
    client.commit()

    assert row == (big,)
    assert seen(faults) == ["INSERT page #1"]


def test_rows_are_copied_in_and_out(client: psycopg.Connection, faults: Faults) -> None:
    with client.cursor() as cursor:
        with cursor.copy("COPY page (text) FROM STDIN") as copy:
            for number in range(10_000):
                copy.write_row([str(number)])
        with cursor.copy("COPY page TO STDOUT") as copy:
            assert len(list(copy.rows())) == 10_000
    client.commit()

    assert seen(faults) == ["COPY page #1"]


def test_sqlalchemy_is_understood(proxied: Proxied, faults: Faults) -> None:
    url = sqlalchemy.make_url(proxied()).set(drivername="postgresql+psycopg")
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("SELECT 1"))
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("INSERT INTO note VALUES (:text)"), {"text": "first"})
    single = engine.execution_options(isolation_level="AUTOCOMMIT")
    with single.connect() as connection:
        connection.execute(sqlalchemy.text("INSERT INTO page VALUES (:text)"), {"text": "second"})
    engine.dispose()

    assert seen(faults) == ["INSERT note #1", "INSERT page #1"]


def test_encryption_is_refused_and_who_insists_does_not_connect(proxied: Proxied) -> None:
    url = proxied()
    psycopg.connect(url, sslmode="prefer", gssencmode="disable").close()
    with pytest.raises(psycopg.OperationalError, match="SSL"):
        psycopg.connect(url, sslmode="require")


def test_a_statement_can_be_cancelled(client: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled):
        _execute_and_cancel(client)


def _execute_and_cancel(client: psycopg.Connection) -> None:
    canceller = threading.Timer(0.3, client.cancel_safe)
    canceller.start()
    try:
        client.execute("SELECT pg_sleep(10)")
    finally:
        canceller.join()


def test_a_server_that_is_away_refuses(postgres_away: str) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres_away)


@BOTH_SIDES
@pytest.mark.parametrize("autocommit", [False, True], ids=["transaction", "single statement"])
def test_a_cut_connection_leaves_the_client_not_knowing(
    client: psycopg.Connection,
    faults: Faults,
    direct: psycopg.Connection,
    side: Side,
    left: list[str],
    autocommit: bool,
) -> None:
    client.autocommit = autocommit
    faults.begin(at("INSERT note", side, Deed.CUT))

    with pytest.raises(psycopg.OperationalError):
        _write(client)

    assert faults.struck.is_set()
    eventually(lambda: _nobody_writes(direct))
    assert notes(direct) == left


def _write(client: psycopg.Connection) -> None:
    client.execute(NOTE, ("first",))
    client.commit()


def _nobody_writes(direct: psycopg.Connection) -> bool:
    """Tell whether every other connection has ended, and what it had open with it."""
    others = "SELECT FROM pg_stat_activity WHERE usename = 'postgres' AND pid <> pg_backend_pid()"
    return not direct.execute(f"{others} AND backend_type = 'client backend'").fetchall()


def test_only_the_commit_of_that_number_is_struck(
    client: psycopg.Connection, faults: Faults, direct: psycopg.Connection
) -> None:
    faults.begin(at("INSERT note", Side.BEFORE, Deed.CUT, number=2))
    client.execute("INSERT INTO page VALUES ('other')")
    client.commit()
    _write(client)
    client.execute(NOTE, ("second",))

    with pytest.raises(psycopg.OperationalError):
        client.commit()

    assert notes(direct) == ["first"]


def test_a_commit_that_fails_is_answered_as_usual(
    client: psycopg.Connection, faults: Faults, direct: psycopg.Connection
) -> None:
    direct.execute("CREATE TABLE strict (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    try:
        faults.begin(at("INSERT strict", Side.AFTER, Deed.CUT))
        client.execute("INSERT INTO strict VALUES (1), (1)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            client.commit()
        assert not faults.struck.is_set()
        assert client.execute("SELECT 1").fetchone() == (1,)
        client.rollback()
    finally:
        direct.execute("DROP TABLE strict")


@pytest.mark.parametrize("side", Side)
def test_a_delayed_commit_takes_place(
    client: psycopg.Connection, faults: Faults, direct: psycopg.Connection, side: Side
) -> None:
    faults.begin(at("INSERT note", side, Deed.DELAY))

    began = time.monotonic()
    _write(client)

    assert time.monotonic() - began > 0.25
    assert notes(direct) == ["first"]


PROGRAM = """
import os, sys, time, psycopg
with psycopg.connect(sys.argv[1]) as connection:
    children = [] if len(sys.argv) == 2 else [os.fork()]
    if 0 in children or not children:
        with psycopg.connect(sys.argv[1]) as own:
            own.execute("INSERT INTO note VALUES ('first') ON CONFLICT DO NOTHING")
            own.commit()
            print("acknowledged", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def supervisor(run_dir: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(run_dir)
    yield supervisor
    supervisor.stop(*supervisor.names)


def program(url: str, *arguments: str) -> Process:
    argv = [sys.executable, "-W", "ignore", "-c", PROGRAM, url, *arguments]
    return Process("writer", argv, Path("/"), dict(os.environ), port=0)


@BOTH_SIDES
def test_the_process_that_commits_is_killed_and_nobody_else(
    proxied: Proxied,
    faults: Faults,
    direct: psycopg.Connection,
    supervisor: Supervisor,
    run_dir: Path,
    side: Side,
    left: list[str],
) -> None:
    faults.begin(at("INSERT note", side, Deed.KILL, process="writer"))
    supervisor.start(program(proxied(Owners(run_dir).of)))

    assert faults.struck.wait(20)
    eventually(lambda: supervisor.crashes("writer") == 1)
    assert notes(direct) == left
    assert "ended with status -9" in log_tail(run_dir, "writer")
    eventually(lambda: "acknowledged" in log_tail(run_dir, "writer"))


def test_a_child_is_killed_and_its_parent_lives(
    proxied: Proxied,
    faults: Faults,
    supervisor: Supervisor,
    run_dir: Path,
    direct: psycopg.Connection,
) -> None:
    faults.begin(at("INSERT note", Side.BEFORE, Deed.KILL, process="writer"))
    supervisor.start(program(proxied(Owners(run_dir).of), "fork"))

    assert faults.struck.wait(20)
    time.sleep(0.2)
    assert supervisor.crashes("writer") == 0
    assert notes(direct) == []


def test_strangers_are_not_counted(
    proxied: Proxied, faults: Faults, run_dir: Path, direct: psycopg.Connection
) -> None:
    with psycopg.connect(proxied(Owners(run_dir).of)) as stranger:
        stranger.execute(NOTE, ("first",))

    assert (seen(faults), notes(direct)) == ([], ["first"])


def test_a_frozen_process_goes_on_when_it_is_thawed(
    proxied: Proxied,
    faults: Faults,
    direct: psycopg.Connection,
    supervisor: Supervisor,
    run_dir: Path,
) -> None:
    faults.begin(at("INSERT note", Side.BEFORE, Deed.FREEZE, process="writer"))
    supervisor.start(program(proxied(Owners(run_dir).of)))

    assert faults.struck.wait(20)
    time.sleep(0.2)
    assert notes(direct) == []
    faults.thaw()

    eventually(lambda: "acknowledged" in log_tail(run_dir, "writer"))
    assert notes(direct) == ["first"]


def test_no_connection_of_a_process_is_overlooked(
    proxied: Proxied, faults: Faults, supervisor: Supervisor, run_dir: Path
) -> None:
    code = """
import sys, psycopg, time
from concurrent.futures import ThreadPoolExecutor
def write(n):
    with psycopg.connect(sys.argv[1]) as connection:
        connection.execute("INSERT INTO page VALUES ('x')")
with ThreadPoolExecutor(8) as threads:
    list(threads.map(write, range(100)))
print("done", flush=True)
time.sleep(60)
"""
    url = proxied(Owners(run_dir).of)
    supervisor.start(
        Process("writer", [sys.executable, "-c", code, url], Path("/"), dict(os.environ), port=0)
    )
    eventually(lambda: "done" in log_tail(run_dir, "writer"), seconds=60)

    assert len(faults.commits()) == 100

import os
import signal
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import psycopg
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Engine, bindparam, literal, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from devstack.testing import Databases
from service_kit import database, metrics
from service_kit.database import (
    SingleStatement,
    connect_for_single_statements,
    connect_to,
    reads,
    transactions,
)


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    engine = connect_to(databases.of("config").url, application="kit-test", pool_size=3)
    yield engine
    engine.dispose()


@pytest.fixture
def direct(databases: Databases) -> Iterator[Engine]:
    url = databases.of("config").url
    engine = connect_for_single_statements(url, application="kit-test", pool_size=1)
    yield engine
    engine.dispose()


def ask(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_connections_closed_by_the_server_are_replaced_before_anybody_notices(
    engine: Engine, databases: Databases
) -> None:
    with ThreadPoolExecutor(max_workers=3) as pool:
        before = set(pool.map(lambda _: ask(engine), range(3)))
    with psycopg.connect(
        databases.postgres.settings.database_url("postgres"), autocommit=True
    ) as admin:
        for pid in before:
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    after = {ask(engine) for _ in range(3)}

    assert not before & after


def test_a_frozen_server_is_given_up_and_the_next_statement_has_another_connection(
    direct: Engine, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "ANSWER_SECONDS", 1.0)
    statement = SingleStatement(direct, select(text("pg_backend_pid()")))
    (frozen,) = statement.row() or ()
    with engine.connect() as connection:
        held = int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
        for pid in (frozen, held):
            os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(DBAPIError) as lost:
                statement.row()
            assert lost.value.connection_invalidated
            with pytest.raises(DBAPIError) as lost:
                connection.execute(text("SELECT 1"))
            assert lost.value.connection_invalidated
        finally:
            for pid in (frozen, held):
                os.kill(pid, signal.SIGCONT)

    assert (statement.row() or ())[0] != frozen


@pytest.mark.skipif(sys.platform != "linux", reason="these are the names of Linux")
def test_the_system_is_told_to_give_a_silent_host_up(engine: Engine, direct: Engine) -> None:
    """As tried by taking a database's address away: waiting took minutes, and takes 4 s now."""
    for each in (engine, direct):
        with each.connect() as connection:
            driver = cast("psycopg.Connection", connection.connection.driver_connection)
            with socket.fromfd(driver.fileno(), socket.AF_INET, socket.SOCK_STREAM) as wire:
                asked = wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                idle = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
                again = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
                often = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)
                unheard = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert (asked, idle, again, often, unheard) == (1, 2, 1, 2, 4_000)


def test_a_full_pool_refuses_within_two_seconds(engine: Engine) -> None:
    held = [engine.connect() for _ in range(3)]
    try:
        with pytest.raises(Exception, match="QueuePool limit"):
            engine.connect()
    finally:
        for connection in held:
            connection.close()


def test_metrics_tell_how_full_a_pool_is_and_who_went_without(databases: Databases) -> None:
    def told(what: str) -> float | None:
        metrics.exposition()
        return REGISTRY.get_sample_value(f"database_pool_{what}", {"pool": "watched"})

    engine = connect_to(databases.of("config").url, application="watched", pool_size=2)
    held = [engine.connect() for _ in range(2)]
    assert (told("size"), told("in_use"), told("timeouts_total")) == (2, 2, None)
    with pytest.raises(Exception, match="QueuePool limit"):
        engine.connect()

    for connection in held:
        connection.close()
    assert (told("in_use"), told("timeouts_total")) == (0, 1)
    engine.dispose()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("lock_timeout", "1s"),
        ("statement_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("TimeZone", "UTC"),
    ],
)
def test_no_session_waits_or_stays_for_long(engine: Engine, setting: str, value: str) -> None:
    with engine.connect() as connection:
        assert connection.execute(text(f"SHOW {setting}")).scalar_one() == value


def test_a_read_cannot_write(engine: Engine) -> None:
    read = reads(engine, lambda session: session)

    with pytest.raises(DBAPIError, match="read-only transaction"), read() as session:
        session.execute(text("DELETE FROM config.fee_schedule_version"))


def test_an_exception_rolls_back(engine: Engine) -> None:
    begin = transactions(engine, lambda session: session)
    insert = text(
        "INSERT INTO config.fee_schedule_version"
        " (version, platform_fee_basis_points, slabs, author, reason)"
        " VALUES (1000000, 0, '[]', 'a', 'b')"
    )

    def fail(session: Session) -> None:
        session.execute(insert)
        raise KeyError

    with pytest.raises(KeyError), begin() as session:
        fail(session)

    with reads(engine, lambda session: session)() as session:
        found = session.execute(
            text("SELECT 1 FROM config.fee_schedule_version WHERE version = 1000000")
        )
        assert found.first() is None


def test_a_single_statement_gives_its_first_row_or_none(direct: Engine) -> None:
    number = bindparam("number", type_=literal(1).type)
    double = SingleStatement(direct, select(number * 2, literal("x")).where(number > 0))

    assert double.row(number=21) == (42, "x")
    assert double.row(number=0) is None


def test_a_single_statement_is_a_transaction_of_its_own(direct: Engine) -> None:
    begun = SingleStatement(direct, text("SELECT pg_current_xact_id()::text"))

    assert begun.row() != begun.row()


def test_a_single_statement_fails_like_every_other(direct: Engine) -> None:
    nonsense = SingleStatement(direct, text("SELECT 1 FROM no_such_table"))
    healthy = SingleStatement(direct, text("SELECT 1"))

    with pytest.raises(DBAPIError) as raised:
        nonsense.row()

    assert getattr(raised.value.orig, "sqlstate", None) == "42P01"
    assert healthy.row() == (1,)


def test_a_single_statement_survives_that_its_connection_is_lost_on_the_way(
    direct: Engine,
) -> None:
    suicide = SingleStatement(direct, text("SELECT pg_terminate_backend(pg_backend_pid())"))
    healthy = SingleStatement(direct, text("SELECT 1"))

    with pytest.raises(OperationalError):
        suicide.row()

    assert healthy.row() == (1,)


def test_without_a_database_a_single_statement_fails_like_every_other() -> None:
    url = "postgresql://nobody:x@127.0.0.1:9/nothing"
    engine = connect_for_single_statements(url, application="kit-test", pool_size=1)

    with pytest.raises(OperationalError) as raised:
        SingleStatement(engine, text("SELECT 1")).row()

    assert not raised.value.connection_invalidated
    engine.dispose()

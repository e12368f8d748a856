"""Engine, transactions and the column types all tables share."""

import select
import weakref
from collections import Counter as Counts
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

import psycopg
from prometheus_client import Counter, Gauge
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from sqlalchemy import (
    BigInteger,
    ClauseElement,
    DateTime,
    Dialect,
    Engine,
    Executable,
    MetaData,
    Text,
    Uuid,
    create_engine,
    event,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from service_kit import metrics, tracing

T = TypeVar("T")

POOL_WAIT_SECONDS = 0.9  # with the wait for a lock: refused within two seconds
CONNECT_SECONDS = 2

# A host that is gone ends no connection, it falls silent. What was sent to it is given up after
# 4 s; while an answer is waited for, the host is asked every 2 s whether it is still there.
SILENCE: Mapping[str, int] = {
    "tcp_user_timeout": 4_000,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 2,
}

ANSWER_SECONDS = 7.0  # after 5 the server ends a statement itself, unless it is frozen

POOL_SIZE = Gauge(
    "database_pool_size",
    "Connections a pool may have, in all processes together.",
    ["pool"],
    multiprocess_mode="livesum",
)
POOL_IN_USE = Gauge(
    "database_pool_in_use",
    "Connections in use at the moment, in all processes together.",
    ["pool"],
    multiprocess_mode="livesum",
)
POOL_TIMEOUTS = Counter(
    "database_pool_timeouts_total", "Waits for a connection that ended without one.", ["pool"]
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class TableBase(DeclarativeBase):
    """Base of a service's tables: one mapping from Python types to column types."""

    __abstract__ = True

    type_annotation_map: ClassVar = {
        int: BigInteger,
        str: Text,
        datetime: DateTime(timezone=True),
        UUID: Uuid,
    }


def schema_metadata(schema: str) -> MetaData:
    """Return the metadata of a service's own schema with predictable constraint names."""
    return MetaData(schema=schema, naming_convention=NAMING)


class _Pool(QueuePool):
    """A pool that is known to the metrics, and counts who went away without a connection."""

    known: ClassVar[weakref.WeakSet["_Pool"]] = weakref.WeakSet()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.known.add(self)

    @property
    def name(self) -> str:
        return str(self.logging_name)

    def connect(self) -> PoolProxiedConnection:
        try:
            return super().connect()
        except PoolTimeout:
            POOL_TIMEOUTS.labels(self.name).inc()
            raise


@metrics.looked_at
def _look_at_pools() -> None:
    size, in_use = Counts[str](), Counts[str]()
    for pool in list(_Pool.known):
        size[pool.name] += pool.size()
        in_use[pool.name] += pool.checkedout()
    for name in size:
        POOL_SIZE.labels(name).set(size[name])
        POOL_IN_USE.labels(name).set(in_use[name])


class _Connection(psycopg.Connection[Any]):
    """Ends with a statement that the server ought to have ended, and does not answer."""

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        try:
            return super().wait(gen, interval, timeout or ANSWER_SECONDS)
        except psycopg.OperationalError:
            if self.info.transaction_status is TransactionStatus.ACTIVE:
                self.close()
            raise


def _connect(
    _dialect: Dialect, _record: ConnectionPoolEntry, _words: Sequence[Any], named: dict[str, Any]
) -> psycopg.Connection:
    return _Connection.connect(**named)


def connect_to(url: str, *, application: str, pool_size: int = 10, **more: Any) -> Engine:
    """Return an engine whose sessions are bounded: no statement, lock or idle transaction lasts.

    Connections are opened when first needed. Times are UTC. The isolation is READ COMMITTED unless
    `more`, which is passed on to SQLAlchemy, says otherwise.
    """
    options = (
        "-c lock_timeout=1s -c statement_timeout=5s "
        "-c idle_in_transaction_session_timeout=10s -c timezone=UTC"
    )
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        hide_parameters=True,  # they would be in error messages, and these in the log
        pool_size=pool_size,
        max_overflow=0,
        poolclass=_Pool,
        pool_logging_name=application,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_recycle=1800,
        connect_args={
            "application_name": application,
            "connect_timeout": CONNECT_SECONDS,
            "options": options,
            **SILENCE,
            **({"cursor_factory": tracing.TracedCursor} if tracing.on() else {}),
        },
        **more,
    )
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "checkout", _replace_if_closed)
    return engine


def connect_for_single_statements(url: str, *, application: str, pool_size: int) -> Engine:
    """Return an engine like `connect_to`'s in which each statement is a transaction of its own."""
    return connect_to(
        url,
        application=application,
        pool_size=pool_size,
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,  # there is never anything to roll back
    )


class SingleStatement:
    """A statement that is a transaction of its own, given to the driver as it is. Thread-safe.

    For the few that every request makes: SQLAlchemy writes the statement, once, and keeps the
    connections, but has no part in each call. What the driver returns is not converted: an enum
    is its text.
    """

    def __init__(self, engine: Engine, statement: Executable) -> None:
        """`engine` is one of `connect_for_single_statements`."""
        compiled = cast("ClauseElement", statement).compile(engine)
        self._engine = engine
        self._sql = str(compiled)
        self._parameters = dict(compiled.params)

    def row(self, **parameters: object) -> tuple[Any, ...] | None:
        """Return the first row, None if there is none; otherwise like `rows`."""
        return next(iter(self.rows(**parameters)), None)

    def rows(self, **parameters: object) -> list[tuple[Any, ...]]:
        """Return all rows.

        Raises:
            DBAPIError: its subclass for what the driver says, as from every other statement. It is
                `connection_invalidated` if the outcome of a statement that was sent is unknown.
        """
        lost = False
        try:
            with closing(self._engine.raw_connection()) as connection:
                driver = cast("psycopg.Connection", connection.driver_connection)
                try:
                    return driver.execute(self._sql, {**self._parameters, **parameters}).fetchall()
                except psycopg.Error as error:
                    if lost := driver.closed:
                        connection.invalidate(error)
                    raise
        except psycopg.Error as error:  # of connecting, too
            raise DBAPIError.instance(
                self._sql,
                None,
                error,
                psycopg.Error,
                hide_parameters=True,
                connection_invalidated=lost,
            ) from error


def _replace_if_closed(
    connection: psycopg.Connection, _record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
) -> None:
    """Have a connection that the server closed while it was idle replaced, and all of its age.

    A closed socket is readable. Looking costs a system call where a ping costs a round trip, and
    after a restart of the database nobody is refused because of what was open before it.
    """
    readable, _, _ = select.select([connection.fileno()], [], [], 0)
    if readable:
        raise InvalidatePoolError


def transactions(
    engine: Engine, repositories: Callable[[Session], T]
) -> Callable[[], AbstractContextManager[T]]:
    """Return `begin`: `with begin() as tx:` commits at the end of its block or rolls back."""
    open_session = sessionmaker(engine, expire_on_commit=False)

    @contextmanager
    def begin() -> Iterator[T]:
        with open_session.begin() as session:
            yield repositories(session)

    return begin


def reads(
    engine: Engine, repositories: Callable[[Session], T]
) -> Callable[[], AbstractContextManager[T]]:
    """Return `read`: like `begin`, in a transaction in which Postgres itself refuses a write."""
    return transactions(engine.execution_options(postgresql_readonly=True), repositories)

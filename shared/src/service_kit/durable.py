"""Durable work: put in a queue by the transaction that causes it, finished whoever dies meanwhile.

A web process enqueues with `WorkQueue`; a worker process runs `DurableWorker`. The engine is DBOS,
with its tables in the schema `<service>_workflows`. Steps run at least once, so every step must be
idempotent. Arguments and results of workflows and steps are stored: plain values only.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import NoReturn, ParamSpec, TypeVar

import psycopg
import structlog
from dbos import DBOS, DBOSClient, EnqueueOptions
from prometheus_client import Counter, Gauge
from psycopg import sql
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from service_kit import tracing
from service_kit.database import SILENCE
from service_kit.peers import PeerUnavailable

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger(__name__)

QUEUE_POLL_SECONDS = 0.25  # about 25 statements a second of an idle worker
UNHURRIED_POLL_SECONDS = 1.0
CONCURRENT_WORKFLOWS = 32  # in one worker, of one queue
DATABASE_CONNECTIONS = 8
LEASE_SECONDS = 30.0
IDLE_TRANSACTION_SECONDS = 10.0  # less than the lease: a frozen worker's locks are free in time
PING_SECONDS = 2.0
SWEEP_SECONDS = 2.0
MEASURE_SECONDS = 15.0
DRAIN_SECONDS = 3
LEASE_LOST = 70  # exit status

FIRST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 5.0
TRANSIENT = (PeerUnavailable, OperationalError, InterfaceError, PoolTimeout)

FAILURES = Counter(
    "durable_step_failures_total",
    "Attempts of durable steps that failed; a step is tried until it succeeds or is refused.",
    ["step", "kind"],
)
WORK_OPEN = Gauge(
    "durable_work_open",
    "Durable work that is not over, by queue; every worker of a service says the same.",
    ["queue", "status"],  # waiting or begun
)
WORK_OLDEST = Gauge(
    "durable_work_oldest_seconds",
    "Age of the oldest durable work that is not over, by queue; 0 if there is none.",
    ["queue"],
)


def workflow_schema(service: str) -> str:
    """Return the schema that holds the durable work of a service."""
    return f"{service}_workflows"


def migrate_workflows(owner_url: str, schema: str, app_role: str) -> None:
    """Create or upgrade the tables of durable work, and let the service use but not alter them.

    Safe to repeat; with nothing to do it costs a few queries.

    Args:
        owner_url: the database, as the owner of the schema.
        schema: where the tables are; exists already.
        app_role: the role that web processes and workers connect as.
    """
    _quiet_library_logs()
    DBOS.migrate(owner_url, schema=schema)
    grants = (
        "GRANT USAGE ON SCHEMA {schema} TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
        "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC",
        "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role}",
        # What every worker checks before it starts; only a migration may say otherwise.
        "REVOKE INSERT, UPDATE, DELETE ON {schema}.dbos_migrations FROM {role}",
    )
    with psycopg.connect(owner_url, connect_timeout=5) as connection:
        connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('migrate:' || %s, 0))", (schema,)
        )
        for grant in grants:
            connection.execute(
                sql.SQL(grant).format(schema=sql.Identifier(schema), role=sql.Identifier(app_role))
            )


class WorkQueue:
    """Where a service puts work that must be done, whatever happens to the process."""

    def __init__(self, engine: Engine, *, service: str) -> None:
        """Prepare the queue; nothing is connected before it is used.

        Args:
            engine: the service's own engine: work is enqueued in its transactions.
            service: the service whose workers do the work.
        """
        _quiet_library_logs()
        self._queue = service
        self._client = DBOSClient(
            system_database_engine=engine,
            dbos_system_schema=workflow_schema(service),
            application_name=service,
            lazy=True,
        )

    def put(
        self,
        session: Session,
        workflow: str,
        *arguments: str,
        work_id: str,
        queue: str | None = None,
    ) -> None:
        """Enqueue a workflow in the caller's transaction: it is done if and only if that commits.

        Putting the same `work_id` again changes nothing. Without `queue` it is the service's own.
        """
        options: EnqueueOptions = {
            "workflow_name": workflow,
            "queue_name": queue or self._queue,
            "workflow_id": work_id,
        }
        with tracing.span(f"put {workflow}", about=work_id):
            self._client.enqueue_in_transaction(session, options, *arguments)

    def under_way(self, work_ids: Sequence[str], *, version: str) -> bool:
        """Return whether workers of this version of the workflows still do any of this work."""
        found = self._client.list_workflows(
            workflow_ids=list(work_ids),
            status=["ENQUEUED", "PENDING"],
            load_input=False,
            load_output=False,
        )
        return any(work.app_version in (None, version) for work in found)

    def forget(self, work_ids: Sequence[str]) -> None:
        """Remove all traces of work that is over; what is unknown is none."""
        self._client.delete_workflows(list(work_ids))


def step(
    name: str,
    action: Callable[P, T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Do a part of a workflow, once it succeeded never again, and return its stored result.

    The action is tried until it returns, at growing intervals of up to `LONGEST_RETRY_SECONDS`:
    a refusal that ends the attempts is a result, not an exception. `name` is stored: renaming a
    step breaks workflows under way.
    """
    return DBOS.run_step({"name": name}, _persistently(name, action), *args, **kwargs)


def _persistently(name: str, action: Callable[P, T]) -> Callable[P, T]:
    def until_done(*args: P.args, **kwargs: P.kwargs) -> T:
        pause, attempt = FIRST_RETRY_SECONDS, 0
        while True:
            attempt += 1
            try:
                with tracing.span(f"step {name}"):
                    return action(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 giving up would leave the work half done
                _report(name, attempt, error)
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_RETRY_SECONDS)

    return until_done


def _report(name: str, attempt: int, error: Exception) -> None:
    expected = isinstance(error, TRANSIENT)
    FAILURES.labels(name, "unavailable" if expected else "unexpected").inc()
    if attempt & (attempt - 1):
        return  # the 1st, 2nd, 4th, 8th … failure is enough to read about
    work = {"step": name, "attempt": attempt, "work": DBOS.workflow_id}
    if expected:
        log.warning("durable step failed, trying again", reason=str(error)[:200], **work)
    else:
        log.error("durable step failed, trying again", exc_info=error, **work)


class NotStarted(Exception):
    """The worker does not do any work yet."""


class DurableWorker:
    """Does the durable work of a service while the block lasts, a dead worker's included.

    Every worker has an id of its own and holds the advisory lock of that name, which Postgres
    frees when the worker dies, or is not heard of for `LEASE_SECONDS`. Others then take its work
    over. A worker that has lost its lock ends at once, before it can get in their way.

    The database may be absent at the start: the worker waits for it, `ready` tells.
    """

    def __init__(
        self,
        database_url: str,
        *,
        service: str,
        worker_id: str,
        version: str,
        workflows: Mapping[str, Callable[..., None]],
        queues: Sequence[str] = (),
        unhurried: Sequence[str] = (),
        poll_seconds: float = QUEUE_POLL_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        """Prepare the worker.

        Args:
            database_url: straight to Postgres, not through a transaction pool.
            service: the service whose work it is.
            worker_id: this worker's name among the workers of the service; stable over restarts.
            version: of the workflows. Raise it when their steps change; work that was begun
                under an older version is left to workers of that version.
            workflows: by the name under which they are enqueued. Names are stored.
            queues: if not only the service's own: work in one of them waits for none in another.
            unhurried: queues besides that nobody waits for, looked at once a second.
            poll_seconds: how often each of the others is looked at.
            lease_seconds: after which silence this worker counts as dead.
        """
        self._database_url = _ending_when_silent(database_url)
        self._service = service
        self._version = version
        self._workflows = workflows
        self._poll_seconds = {
            **dict.fromkeys(queues or (service,), poll_seconds),
            **dict.fromkeys(unhurried, UNHURRIED_POLL_SECONDS),
        }
        self._lease = _Lease(database_url, service, worker_id, lease_seconds)
        self._stopping = threading.Event()
        self._started = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name="durable work", daemon=True),
            threading.Thread(target=self._keep_lease, name="lease", daemon=True),
            threading.Thread(target=self._measure, name="backlog", daemon=True),
        ]

    def __enter__(self) -> "DurableWorker":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Take no new work, finish what can be finished soon, leave the rest to others."""
        self._stopping.set()
        if self._started.is_set():
            DBOS.destroy(workflow_completion_timeout_sec=DRAIN_SECONDS)
            if _unfinished():
                # Python would wait for steps that wait for a peer; the work itself is stored.
                log.info("leaving unfinished work to the next worker")
                logging.shutdown()
                os._exit(0)
        self._lease.release()

    def ready(self) -> None:
        """Raise if this worker does no work yet.

        Raises:
            NotStarted: it waits for the database, or for a worker of the same id to end.
        """
        if not self._started.is_set():
            raise NotStarted("durable work has not started yet")

    def _work(self) -> None:
        try:
            if self._acquire_lease():
                self._launch()
                self._started.set()
                log.info("durable work started", worker=self._lease.worker_id)
        except Exception as error:  # noqa: BLE001 whatever it is: without this thread no work is done
            _end_process("durable work cannot start", error)
        while not self._stopping.wait(SWEEP_SECONDS):
            try:
                self._take_over()
            except Exception as error:
                log.warning("takeover failed, trying again", exc_info=error)

    def _acquire_lease(self) -> bool:
        waited = 0
        while not self._stopping.is_set():
            try:
                self._lease.acquire()
            except psycopg.Error as error:
                if waited % 30 == 0:
                    log.warning("waiting for the database", reason=type(error).__name__)
                waited += 1
                self._stopping.wait(1)
            else:
                return True
        return False

    def _launch(self) -> None:
        _quiet_library_logs()
        DBOS(
            config={
                "name": self._service,
                "system_database_url": self._database_url,
                "dbos_system_schema": workflow_schema(self._service),
                "executor_id": self._lease.worker_id,
                "application_version": self._version,
                "run_migrations": False,
                "enable_otlp": False,
                "sys_db_pool_size": DATABASE_CONNECTIONS,
                "sys_db_idle_transaction_timeout_sec": IDLE_TRANSACTION_SECONDS,
                "log_level": "WARNING",
            }
        )
        for name, workflow in self._workflows.items():
            DBOS.workflow(name=name, max_recovery_attempts=None)(_function(name, workflow))
        DBOS.launch()
        for queue, seconds in self._poll_seconds.items():
            DBOS.register_queue(
                queue,
                worker_concurrency=CONCURRENT_WORKFLOWS,
                polling_interval_sec=seconds,
            )

    def _keep_lease(self) -> None:
        while not self._stopping.wait(PING_SECONDS):
            try:
                self._lease.renew()
            except psycopg.Error as error:
                if not self._stopping.is_set():
                    _end_process("the lease is lost, others take over", error)

    def _measure(self) -> None:
        backlog = Backlog(self._database_url, self._service, list(self._poll_seconds))
        while True:
            try:
                backlog.measure()
            except psycopg.Error as error:
                log.warning("backlog not measured", reason=type(error).__name__)
            if self._stopping.wait(MEASURE_SECONDS):
                return

    def _take_over(self) -> None:
        """Have the work of dead workers done: put what they began back into the queue."""
        pending = DBOS.list_workflows(
            status="PENDING", app_version=self._version, load_input=False, load_output=False
        )
        owners = {work.executor_id for work in pending if work.executor_id}
        for other in owners - {self._lease.worker_id}:
            with self._lease.of_dead(other) as dead:
                if dead:
                    # Private, hence pinned and tested. Reads what is pending anew, under the lock.
                    taken = DBOS._recover_pending_workflows([other])
                    log.warning("took over a dead worker's work", worker=other, count=len(taken))


class Backlog:
    """How much work of a service is not over, and since when: one query over a partial index."""

    _QUERY = sql.SQL(
        "SELECT queue_name, count(*) FILTER (WHERE status = 'ENQUEUED'),"
        " count(*) FILTER (WHERE status = 'PENDING'),"
        " extract(epoch FROM now()) - min(created_at) / 1000.0"
        " FROM {}.workflow_status WHERE status IN ('ENQUEUED', 'PENDING') GROUP BY queue_name"
    )

    def __init__(self, database_url: str, service: str, queues: Sequence[str]) -> None:
        """Prepare; nothing is connected before something is measured."""
        self._database_url = database_url
        self._application = f"{service} backlog"
        self._query = self._QUERY.format(sql.Identifier(workflow_schema(service)))
        self._queues = queues

    def measure(self) -> None:
        """Set the gauges, on a connection that does not last: it is asked for now and then."""
        with psycopg.connect(
            self._database_url,
            autocommit=True,
            application_name=self._application,
            connect_timeout=5,
            options="-c statement_timeout=5s",
        ) as connection:
            found = {queue: rest for queue, *rest in connection.execute(self._query)}
        for queue in self._queues:
            waiting, begun, oldest = found.get(queue, (0, 0, 0))
            WORK_OPEN.labels(queue, "waiting").set(waiting)
            WORK_OPEN.labels(queue, "begun").set(begun)
            WORK_OLDEST.labels(queue).set(max(float(oldest), 0.0))


class _Lease:
    """A session advisory lock, on a connection of its own, that says that a worker is alive."""

    _KEY = "hashtextextended('durable worker:' || %s || ':' || %s, 0)"

    def __init__(self, database_url: str, service: str, worker_id: str, seconds: float) -> None:
        if seconds < 3 * PING_SECONDS:
            raise ValueError("a lease must outlive a few pings")
        self.worker_id = worker_id
        self._database_url = database_url
        self._service = service
        self._milliseconds = int(seconds * 1000)
        self._connection: psycopg.Connection | None = None

    def acquire(self) -> None:
        """Take the lock; waits while a namesake lives or its work is being taken over."""
        connection = psycopg.connect(
            self._database_url,
            autocommit=True,
            application_name=f"{self._service} worker {self.worker_id}",
            connect_timeout=5,
            tcp_user_timeout=self._milliseconds,
        )
        try:
            connection.execute("SET statement_timeout = 0")
            connection.execute(
                sql.SQL("SET lock_timeout = {}").format(sql.Literal(2 * self._milliseconds))
            )
            # A frozen process and a dead host stop talking: the server ends their session.
            connection.execute(
                sql.SQL("SET idle_session_timeout = {}").format(sql.Literal(self._milliseconds))
            )
            connection.execute(f"SELECT pg_advisory_lock({self._KEY})", self._key(self.worker_id))
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def renew(self) -> None:
        """Say that this worker is alive; raises if the lock is lost."""
        if self._connection is not None:
            self._connection.execute("SELECT 1")

    @contextmanager
    def of_dead(self, worker_id: str) -> Iterator[bool]:
        """Hold another worker's lock inside the block; false if that worker is alive."""
        connection = self._connection
        if connection is None:
            raise NotStarted("no lease yet")
        key = self._key(worker_id)
        row = connection.execute(f"SELECT pg_try_advisory_lock({self._KEY})", key).fetchone()
        dead = row is not None and bool(row[0])
        try:
            yield dead
        finally:
            if dead:
                connection.execute(f"SELECT pg_advisory_unlock({self._KEY})", key)

    def release(self) -> None:
        """Give the lock up."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()

    def _key(self, worker_id: str) -> tuple[str, str]:
        return self._service, worker_id


def default_worker_id(service: str) -> str:
    """Return an id for the only worker of a service on this host."""
    return f"{service}@{socket.gethostname()}"


def _function(name: str, workflow: Callable[..., None]) -> Callable[..., None]:
    """Return a plain function, which can be registered where a bound method cannot."""

    def run(*arguments: str) -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(work=DBOS.workflow_id)
        with tracing.work(name, DBOS.workflow_id):
            workflow(*arguments)

    return run


def _ending_when_silent(database_url: str) -> str:
    """Return the URL with which a connection ends whose host is gone."""
    url = make_url(database_url).update_query_dict({n: str(value) for n, value in SILENCE.items()})
    return url.render_as_string(hide_password=False)


def _unfinished() -> bool:
    time.sleep(0.05)  # an executor's idle threads end by themselves
    return any(thread.name.startswith("dbos-executor-") for thread in threading.enumerate())


def _end_process(reason: str, error: Exception) -> NoReturn:
    log.critical(reason, exc_info=error)
    logging.shutdown()
    os._exit(LEASE_LOST)


def _quiet_library_logs() -> None:
    """Send DBOS's warnings through the process's own log format, without its own handler."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.setLevel(logging.WARNING)

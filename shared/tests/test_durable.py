"""Durable work survives its workers; also the contract test of the one private call into DBOS."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
import psycopg
import pytest
from prometheus_client import REGISTRY
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from chaos.faults import CommitPoint, Deed, Fault, Faults, Owner, Side
from chaos.postgres_proxy import postgres_proxy
from chaos.statements import Grammar
from devstack.testing import Databases, ServiceDatabase
from service_kit.database import SILENCE, connect_to, transactions
from service_kit.durable import (
    CONCURRENT_WORKFLOWS,
    LEASE_LOST,
    Backlog,
    DurableWorker,
    WorkQueue,
    migrate_workflows,
    workflow_schema,
)

SERVICE = "errands"
PASSWORD = "only-in-this-test"
PROGRAM = Path(__file__).with_name("durable_program.py")
PATIENCE_SECONDS = 30

StartWorker = Callable[..., subprocess.Popen[bytes]]


def test_a_worker_gives_up_a_database_whose_host_falls_silent() -> None:
    told = "postgresql://somebody:p%40ss@db.example/comedy?sslmode=require"
    worker = DurableWorker(told, service=SERVICE, worker_id="one", version="1", workflows={})

    connecting = conninfo_to_dict(worker._database_url)

    assert (connecting["host"], connecting["password"]) == ("db.example", "p@ss")
    assert connecting["sslmode"] == "require"
    assert {name: int(str(connecting[name])) for name in SILENCE} == SILENCE


@pytest.fixture(scope="module")
def database(databases: Databases) -> ServiceDatabase:
    """A service of nobody's, with durable work and nothing else."""
    settings = databases.postgres.settings
    parts = urlsplit(settings.database_url("postgres"))
    with psycopg.connect(parts.geturl(), autocommit=True) as administrator:
        for statement in (
            f"CREATE ROLE {SERVICE} LOGIN PASSWORD '{PASSWORD}'",
            f"CREATE ROLE {SERVICE}_owner LOGIN PASSWORD '{PASSWORD}'",
            f"GRANT CONNECT ON DATABASE comedy_connect TO {SERVICE}, {SERVICE}_owner",
            f"CREATE SCHEMA {SERVICE}_workflows AUTHORIZATION {SERVICE}_owner",
        ):
            administrator.execute(statement)
    server = f"{parts.hostname}:{parts.port}{parts.path}"
    url, owner_url = (
        f"postgresql://{role}:{PASSWORD}@{server}" for role in (SERVICE, f"{SERVICE}_owner")
    )
    migrate_workflows(owner_url, workflow_schema(SERVICE), SERVICE)
    return ServiceDatabase(url, owner_url)


@pytest.fixture
def engine(database: ServiceDatabase) -> Iterator[Engine]:
    engine = connect_to(database.url, application="test")
    yield engine
    engine.dispose()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


@pytest.fixture
def hold(tmp_path: Path) -> Path:
    hold = tmp_path / "hold"
    hold.touch()
    return hold


@pytest.fixture
def start_worker(database: ServiceDatabase, notes: Path, hold: Path) -> Iterator[StartWorker]:
    started: list[subprocess.Popen[bytes]] = []

    def start(
        worker_id: str, *, database_url: str = database.url, lease: str = "30"
    ) -> subprocess.Popen[bytes]:
        words = [str(PROGRAM), database_url, worker_id, str(notes), str(hold), lease]
        started.append(subprocess.Popen([sys.executable, *words]))  # noqa: S603
        return started[-1]

    yield start
    for worker in started:
        worker.kill()
        worker.wait()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def lines(notes: Path) -> list[str]:
    return notes.read_text().splitlines() if notes.exists() else []


def put_errands(engine: Engine, *names: str) -> None:
    queue = WorkQueue(engine, service=SERVICE)
    with transactions(engine, lambda session: session)() as session:
        for name in names:
            queue.put(session, "errand", name, work_id=f"errand:{name}")


def test_work_of_a_killed_worker_is_finished_by_another(
    engine: Engine, start_worker: StartWorker, notes: Path, hold: Path
) -> None:
    names = [uuid4().hex for _ in range(3)]
    first = start_worker("first")
    put_errands(engine, *names)
    wait_until(lambda: lines(notes).count("waiting") == len(names))

    first.send_signal(signal.SIGKILL)
    first.wait()
    hold.unlink()
    start_worker("second")

    wait_until(lambda: sum(line.startswith("last") for line in lines(notes)) == len(names))
    for name in names:
        assert lines(notes).count(f"first {name}") == 1  # it succeeded once and never again
        assert lines(notes).count(f"last {name}") == 1


def test_a_queue_that_is_stuck_holds_up_no_other(
    engine: Engine, start_worker: StartWorker, notes: Path, hold: Path
) -> None:
    stuck = [uuid4().hex for _ in range(CONCURRENT_WORKFLOWS + 1)]
    start_worker("only")
    put_errands(engine, *stuck)
    wait_until(lambda: lines(notes).count("waiting") == CONCURRENT_WORKFLOWS)

    name = uuid4().hex
    with transactions(engine, lambda session: session)() as session:
        queue = WorkQueue(engine, service=SERVICE)
        queue.put(session, "quick", name, work_id=f"errand:{name}", queue="quick errands")

    wait_until(lambda: f"quick {name}" in lines(notes))
    hold.unlink()
    wait_until(lambda: sum(line.startswith("last") for line in lines(notes)) == len(stuck))


def test_a_worker_that_loses_its_lease_ends_at_once(
    database: ServiceDatabase, engine: Engine, start_worker: StartWorker, notes: Path
) -> None:
    worker = start_worker("forgotten")
    put_errands(engine, uuid4().hex)
    wait_until(lambda: "waiting" in lines(notes))

    with psycopg.connect(database.url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
            (f"{SERVICE} worker forgotten",),
        )

    assert worker.wait(PATIENCE_SECONDS) == LEASE_LOST


def test_a_worker_frozen_inside_a_transaction_is_taken_over(
    databases: Databases,
    database: ServiceDatabase,
    engine: Engine,
    start_worker: StartWorker,
    notes: Path,
    hold: Path,
) -> None:
    name, faults, owners = uuid4().hex, Faults(), list[Owner]()
    hold.unlink()
    step_done = CommitPoint("frozen", f"INSERT {SERVICE}_workflows.operation_outputs", 1)
    faults.begin(Fault(step_done, Side.BEFORE, Deed.FREEZE))
    server = databases.postgres.port
    with postgres_proxy(
        server, faults, Grammar(), lambda *_ports: next(iter(owners), None)
    ) as port:
        url = database.url.replace(f":{server}/", f":{port}/")
        frozen = start_worker("frozen", database_url=url, lease="6")
        owners.append(Owner("frozen", psutil.Process(frozen.pid)))
        put_errands(engine, name)
        assert faults.struck.wait(PATIENCE_SECONDS)

        start_worker("awake", lease="6")

        wait_until(lambda: f"last {name}" in lines(notes))
        faults.thaw()
        assert frozen.wait(PATIENCE_SECONDS) == LEASE_LOST
    assert lines(notes).count(f"last {name}") == 1


def test_a_rolled_back_transaction_leaves_no_work(engine: Engine) -> None:
    name = uuid4().hex
    queue = WorkQueue(engine, service=SERVICE)

    def enqueue_and_fail(session: Session) -> None:
        queue.put(session, "errand", name, work_id=f"errand:{name}")
        raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError), Session(engine) as session:
        enqueue_and_fail(session)

    assert _count(engine, name) == 0


def test_the_same_work_is_put_once(engine: Engine) -> None:
    name = uuid4().hex
    put_errands(engine, name)
    put_errands(engine, name)

    assert _count(engine, name) == 1
    _forget(engine, name)


def test_the_service_may_use_but_not_alter_the_tables(database: ServiceDatabase) -> None:
    with (
        psycopg.connect(database.url) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("TRUNCATE errands_workflows.workflow_status CASCADE")
    with (
        psycopg.connect(database.url) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("UPDATE errands_workflows.dbos_migrations SET version = 0")


def test_migrating_again_rewrites_nothing(database: ServiceDatabase) -> None:
    before = _tables(database)

    migrate_workflows(database.owner_url, workflow_schema(SERVICE), SERVICE)

    assert _tables(database) == before


def _tables(database: ServiceDatabase) -> list[object]:
    """Return what a migration that runs once more would make anew, the note of it included."""
    with psycopg.connect(database.owner_url) as connection:
        found = connection.execute(
            "SELECT oid, relname, relfilenode, array_length(relacl, 1) FROM pg_class"
            " WHERE relnamespace = 'errands_workflows'::regnamespace ORDER BY oid"
        ).fetchall()
        noted = connection.execute("SELECT xmin, version FROM errands_workflows.dbos_migrations")
        return [*found, *noted.fetchall()]


def _count(engine: Engine, name: str) -> int:
    query = "SELECT count(*) FROM errands_workflows.workflow_status WHERE workflow_uuid = %s"
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(query, (f"errand:{name}",)).scalar_one())


def _forget(engine: Engine, name: str) -> None:
    statement = "DELETE FROM errands_workflows.workflow_status WHERE workflow_uuid = %s"
    with engine.begin() as connection:
        connection.exec_driver_sql(statement, (f"errand:{name}",))


def test_work_is_under_way_for_the_workers_who_will_do_it_and_then_forgotten(
    engine: Engine, start_worker: StartWorker, notes: Path, hold: Path
) -> None:
    name = str(uuid4())
    work_id, queue = f"errand:{name}", WorkQueue(engine, service=SERVICE)
    assert not queue.under_way([work_id], version="test")
    put_errands(engine, name)
    assert queue.under_way([work_id], version="test")
    start_worker(str(uuid4()))
    wait_until(lambda: "waiting" in lines(notes))

    assert queue.under_way([work_id], version="test")
    assert not queue.under_way([work_id], version="another")

    hold.unlink()
    wait_until(lambda: not queue.under_way([work_id], version="test"))
    queue.forget([work_id, "errand:unknown"])
    queue.forget([work_id])
    with engine.connect() as connection:
        left = connection.exec_driver_sql(
            f"SELECT count(*) FROM {SERVICE}_workflows.operation_outputs"  # noqa: S608
            " WHERE workflow_uuid = %s",
            (work_id,),
        ).scalar_one()
    assert left == 0


def test_metrics_tell_how_much_work_waits_and_for_how_long(
    database: ServiceDatabase, engine: Engine
) -> None:
    name, backlog = uuid4().hex, Backlog(database.url, SERVICE, (SERVICE, "idle"))

    def told(queue: str) -> tuple[float | None, ...]:
        backlog.measure()
        waiting, begun = (
            REGISTRY.get_sample_value("durable_work_open", {"queue": queue, "status": status})
            for status in ("waiting", "begun")
        )
        oldest = REGISTRY.get_sample_value("durable_work_oldest_seconds", {"queue": queue})
        return waiting, begun, oldest

    waiting_before, begun_before, _ = told(SERVICE)
    put_errands(engine, name)
    time.sleep(0.1)

    waiting, begun, oldest = told(SERVICE)
    assert (waiting, begun) == ((waiting_before or 0) + 1, begun_before)
    assert oldest is not None
    assert 0.1 <= oldest < 600
    assert told("idle") == (0, 0, 0)
    _forget(engine, name)

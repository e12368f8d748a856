"""The stack that things go wrong in: one of its own, its database and services behind proxies."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from chaos.faults import Faults
from chaos.owners import Owners
from chaos.peer_proxy import PeerFaults, peer_proxy
from chaos.postgres_proxy import postgres_proxy
from chaos.statements import Grammar
from devstack.health import READY, ask
from devstack.lock import running
from devstack.ports import LOOPBACK, free_ports
from devstack.reach import remove_cluster
from devstack.settings import SERVICES, SERVICES_WITH_WORKER, Settings, beside_others, resolve
from devstack.stack import Stack
from devstack.supervision import stop_leftovers

HOLDERS = ("booking", "catalog", "config")  # asked by identity during a deletion
SECOND_WORKER = "identity-worker-2"

_RESTART_SECONDS = 1.0  # the same process is killed again and again
_LOOK_EVERY_SECONDS = 0.1

Report = Callable[[str, str], None]

# Mails about what is bought meanwhile are always on their way: those of later are not waited for.
_WORK_LEFT = """
    SELECT FROM {schema}.workflow_status WHERE status IN ('ENQUEUED', 'PENDING')
    AND (queue_name IS DISTINCT FROM 'mail' OR created_at < %s)
"""
_WRITING_FUNCTIONS = """
    SELECT p.proname FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE p.provolatile = 'v' AND (n.nspname = ANY(%s) OR n.nspname LIKE '%%\\_workflows')
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running stack, and what can go wrong in it."""

    stack: Stack
    commits: Faults
    calls: Mapping[str, PeerFaults]  # by the service that is called

    def calm(self) -> None:
        """Have nothing go wrong any more."""
        self.commits.begin()
        self.commits.thaw()
        for calls in self.calls.values():
            calls.begin()

    def wait_until_well(self) -> None:
        """Wait until every process is ready and no durable work is left.

        Raises:
            NeverTrue: that does not come about.
        """
        for name in (*SERVICES, *(f"{service}-worker" for service in SERVICES_WITH_WORKER)):
            health = self.stack.process(name).health
            wait_until(lambda health=health: ask(health) == READY, f"{name} is ready")  # type: ignore[misc]
        self.wait_for_work()

    def wait_for_work(self) -> None:
        """Wait until no durable work is left.

        Raises:
            NeverTrue: there always is some.
        """
        now = int(time.time() * 1000)
        wait_until(lambda: not self._work_left(now), "all durable work is done")

    def _work_left(self, mails_until: int) -> int:
        queries = [_WORK_LEFT.format(schema=f"{name}_workflows") for name in SERVICES_WITH_WORKER]
        with psycopg.connect(self.stack.db_url("auditor")) as database:
            return sum(database.execute(query, (mails_until,)).rowcount for query in queries)

    @contextmanager
    def second_worker(self) -> Iterator[None]:
        """Have a second worker of identity beside the first one inside the block."""
        first = self.stack.process("identity-worker")
        port = free_ports(["WORKER_PORT"])["WORKER_PORT"]
        second = replace(
            first,
            name=SECOND_WORKER,
            env={**first.env, "WORKER_ID": SECOND_WORKER, "WORKER_PORT": port},
            port=int(port),
            health=f"http://{LOOPBACK}:{port}/readyz",
        )
        self.stack.supervisor.start(second)
        try:
            wait_until(lambda: ask(second.health) == READY, f"{SECOND_WORKER} is ready")
            yield
        finally:
            self.stack.supervisor.stop(SECOND_WORKER)


class NeverTrue(Exception):
    """Something that was waited for did not come true; the message says what."""


def wait_until(look: Callable[[], bool], what: str, *, seconds: float = 60.0) -> None:
    """Wait until something is the case.

    Raises:
        NeverTrue: it did not become so in time.
    """
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            raise NeverTrue(f"not within {seconds:.0f} s: {what}")
        time.sleep(_LOOK_EVERY_SECONDS)


@contextmanager
def stage(run_dir: Path, report: Report, *, copy_of: Path | None = None) -> Iterator[Stage]:
    """Run a stack that takes payments and lies behind the proxies; only its logs stay.

    Args:
        run_dir: holds what the stack leaves behind.
        report: told what has been done, for people to read.
        copy_of: what a stack has saved, to begin with; the database is then not safe from being
            killed.

    Raises:
        StackError: something is in the way or does not start.
    """
    with running(run_dir):
        stop_leftovers(run_dir)
        remove_cluster(run_dir)
    own = beside_others(os.environ)
    own |= {"PAYMENTS": "razorpay", "RECONCILE_AFTER_SECONDS": "2", "KEY_REFRESH_SECONDS": "1"}
    own["RATE_LIMIT_TIMES"] = "1000"  # the same few people ask again and again
    settings = resolve(copy_of or run_dir.resolve(), own)
    commits, grammar = Faults(), Grammar()
    calls = {service: PeerFaults() for service in HOLDERS}
    with ExitStack() as undo:
        undo.callback(remove_cluster, run_dir)
        database = undo.enter_context(
            postgres_proxy(int(own["PG_PORT"]), commits, grammar, Owners(run_dir.resolve()).of)
        )
        ports = {
            service: undo.enter_context(
                peer_proxy(int(own[f"{service.upper()}_PORT"]), calls[service])
            )
            for service in HOLDERS
        }
        environment = {**own, **_detours(settings, database, ports)}
        stack = undo.enter_context(
            Stack(
                run_dir,
                environment,
                copy_of=copy_of,
                longest_delay=_RESTART_SECONDS,
                report=report,
            )
        )
        grammar.learn(_writing_functions(stack.db_url()))
        yield Stage(stack, commits, calls)


def _detours(settings: Settings, database: int, ports: Mapping[str, int]) -> dict[str, str]:
    """Return the settings that lead services through the proxies."""
    direct = f":{settings['PG_PORT']}/"
    databases = {
        f"{service.upper()}_DATABASE_URL": settings.database_url(service).replace(
            direct, f":{database}/"
        )
        for service in SERVICES
    }
    peers = {f"{name.upper()}_URL": f"http://{LOOPBACK}:{port}" for name, port in ports.items()}
    return databases | peers


def _writing_functions(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute(_WRITING_FUNCTIONS, (list(SERVICES),))]

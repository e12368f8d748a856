"""All of Comedy Connect on one machine: what `make run` starts and what the system tests test."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from devstack.errors import StackError
from devstack.health import READY, ask
from devstack.lock import running
from devstack.migrations import remember, up_to_date
from devstack.ports import require_free
from devstack.postgres import NAME as POSTGRES
from devstack.postgres import Postgres
from devstack.processes import (
    assembling,
    cli_command,
    processes,
    service_environment,
    service_folder,
)
from devstack.reach import copy_files, home_of_cluster, remove_cluster
from devstack.settings import (
    SECRETS_FILE,
    SERVICES,
    Settings,
    read_values,
    resolve,
    write_values,
)
from devstack.supervision import (
    LONGEST_DELAY,
    Process,
    Supervisor,
    log_file,
    log_tail,
    pid_of,
    stop_leftovers,
    wait_for_end,
)

_READY_SECONDS = 120.0  # the first start on a slow machine
_COMMAND_SECONDS = 300.0
_KILL_SECONDS = 10.0
_SAVED_CLUSTER = "postgres"
_PUBLISHED_FILE = "running.env"
_MAX_CRASHES = 4  # while starting; afterwards a process is restarted for ever

# Each service fills its own schema, in this order: the later ones ask the earlier ones.
SEEDING = (*((service, "seed") for service in SERVICES), ("catalog", "seed", "--after-sales"))
_ASK_NOBODY = 2  # the first ones: identity and config

Report = Callable[[str, str], None]


class Stack:
    """The stack of one folder: `with Stack(folder) as stack:` starts it and stops it.

    Two stacks never share a folder at the same time; with ports of its own each runs beside others.
    """

    def __init__(
        self,
        run_dir: Path,
        environment: Mapping[str, str] = os.environ,
        *,
        throwaway: bool = False,
        copy_of: Path | None = None,
        longest_delay: float = LONGEST_DELAY,
        report: Report = lambda _what, _outcome: None,
    ) -> None:
        """Prepare to run in `run_dir`.

        Args:
            run_dir: holds everything the stack leaves behind; ours alone.
            environment: ports, URLs and secrets (`settings.py`), and what processes inherit.
            throwaway: trade crash safety of the database for speed, and remove it when stopped.
            copy_of: what `save` has kept, to begin with; a copy is thrown away as well.
            longest_delay: seconds before a process that keeps crashing is started again.
            report: told what has been done, for people to read.
        """
        self.run_dir = run_dir.resolve()
        self.environment = dict(environment)
        self._throwaway = throwaway or copy_of is not None
        self._copy_of = copy_of
        self._longest_delay = longest_delay
        self._report = report
        self._undo = ExitStack()
        self._cancelled = False

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The public URL, i.e. the gateway's."""
        return self.settings["PUBLIC_URL"]

    @property
    def pg_bin(self) -> Path:
        """The folder of the programs of the stack's Postgres."""
        return self._postgres.bin

    def db_url(self, role: str = "postgres") -> str:
        """Return the URL under which a role reaches the database."""
        return self.settings.database_url(role)

    def start(self) -> None:
        """Start everything and wait until all of it is ready.

        Raises:
            StackError: something is in the way or does not start.
            Cancelled: `cancel` was called meanwhile.
        """
        self.start_database()
        self.start_processes()

    def start_database(self) -> None:
        """Start the database only, with roles and schemas; `start_processes` does the rest.

        Raises:
            StackError: something is in the way or does not start.
            Cancelled: `cancel` was called meanwhile.
        """
        self._undo.enter_context(running(self.run_dir))
        if leftovers := clear_up(self.run_dir):
            self._report("cleared up", f"what a killed run had left: {', '.join(leftovers)}")
        if self._throwaway:
            remove_cluster(self.run_dir)
            self._undo.callback(remove_cluster, self.run_dir)
        if self._copy_of:
            shutil.copy2(self._copy_of / SECRETS_FILE, self.run_dir)
            copy_files(self._copy_of / _SAVED_CLUSTER, home_of_cluster(self.run_dir))
        self.settings = resolve(self.run_dir, self.environment)
        require_free(self.settings.ports)
        self._publish_settings()
        self.supervisor = Supervisor(
            self.run_dir, cancelled=lambda: self._cancelled, longest_delay=self._longest_delay
        )
        self._start_database()
        self._undo.callback(self._end_processes)

    def start_processes(self, *, without: Collection[str] = ()) -> None:
        """Migrate and start everything beside the database but these; wait until it is ready.

        Raises:
            StackError: something does not start.
            Cancelled: `cancel` was called meanwhile.
        """
        self._migrate()
        self._report("database", "roles, schemas and migrations are up to date")
        subprocess.run(assembling(self.settings), check=True)
        self._start_processes(without)
        # Workers come after the seed: without a first fee schedule booking's does not get ready.
        self.wait_until_ready(*SERVICES)
        self._seed_once()
        self.wait_until_ready(*(self._processes.keys() - set(SERVICES) - set(without)))

    def stop_processes(self) -> None:
        """Stop everything but the database, what others started here too; see `start_processes`."""
        self.supervisor.stop(*self._names_beside_the_database())

    def accept_restored_data(self) -> None:
        """Renew the grants; the next `start_processes` migrates, and seeds nothing on top."""
        self._postgres.apply_roles()
        self._migration_note.unlink(missing_ok=True)
        self._seeding_note.touch()

    def save(self, folder: Path) -> None:
        """Stop everything, and keep data and secrets in a new folder, for stacks that are copies.

        There is no such folder before it is complete. Processes of a stack that is thrown away are
        not asked to end in order, as by `stop`: their copies go on with what these leave undone.
        """
        self._end_processes()
        self._postgres.stop()
        draft = folder.with_suffix(".new")
        (draft / _SAVED_CLUSTER).mkdir(mode=0o700, parents=True)
        shutil.copy2(self.run_dir / SECRETS_FILE, draft)
        copy_files(self._postgres.home, draft / _SAVED_CLUSTER)
        draft.rename(folder)

    def stop(self) -> None:
        """Stop everything, the database last. Does nothing if nothing runs.

        What is thrown away is not asked to end in order: that takes seconds.
        """
        self._undo.close()

    def cancel(self) -> None:
        """Have a start in progress raise `Cancelled`; may be called by a signal handler."""
        self._cancelled = True  # nothing more: a handler must not wait for a lock

    def pid(self, name: str) -> int:
        """Return the pid of a process that runs."""
        pid = pid_of(self.run_dir, name)
        if pid is None:
            raise StackError(f"{name} does not run")
        return pid

    def process(self, name: str) -> Process:
        """Return how a process of the stack, other than the database, is started."""
        return self._processes[name]

    def kill(self, name: str) -> None:
        """Kill a process and its children; it is started again after a moment."""
        leader = psutil.Process(self.pid(name))
        family = [leader, *leader.children(recursive=True)]
        leader.kill()
        wait_for_end(family, _KILL_SECONDS)

    def stop_process(self, name: str) -> None:
        """Stop one process until `start_process`."""
        self.supervisor.stop(name)

    def start_process(self, name: str) -> None:
        """Start a process that was stopped, and wait until it is ready."""
        if name == POSTGRES:
            self._postgres.start()
            return
        self.supervisor.start(self._processes[name])
        self.wait_until_ready(name)

    def wait_until_ready(self, *names: str) -> None:
        """Wait until these processes answer that they are ready.

        Raises:
            StackError: one keeps crashing or takes too long; with the end of its log.
        """
        waiting = list(names)
        began = time.monotonic()
        while waiting:
            for name in tuple(waiting):
                answer = ask(self._processes[name].health)
                if answer == READY:
                    waiting.remove(name)
                    self._report(name, f"{READY} at {_address(self._processes[name])}")
                elif self.supervisor.crashes(name) >= _MAX_CRASHES:
                    raise StackError(self._failure(name, "keeps crashing"))
                elif time.monotonic() - began > _READY_SECONDS:
                    raise StackError(self._failure(name, f"does not get ready ({answer})"))
            self.supervisor.pause(0.1)

    def run_command(self, service: str, *arguments: str) -> str:
        """Run a service's own command, such as `"booking", "seed"`; return what it printed."""
        self._run_commands([(service, *arguments)])
        return log_file(self.run_dir, f"{service}-{arguments[0]}").read_text()

    def _end_processes(self) -> None:
        if self._throwaway:
            self.supervisor.kill(*self._names_beside_the_database())
        else:
            self.stop_processes()

    def _names_beside_the_database(self) -> frozenset[str]:
        return self.supervisor.names - {POSTGRES}

    def _start_database(self) -> None:
        pg_bin = self.environment.get("PG_BIN", "")
        self._postgres = Postgres(
            self.settings, self.supervisor, pg_bin=pg_bin, throwaway=self._throwaway
        )
        self._undo.callback(self._postgres.stop)
        self._postgres.start()
        self._report(POSTGRES, f"{READY} at 127.0.0.1:{self._postgres.port}")
        self._postgres.apply_roles()

    @property
    def _migration_note(self) -> Path:
        return self._postgres.home / "migrated.json"

    @property
    def _seeding_note(self) -> Path:
        return self._postgres.home / "seeded"

    def _migrate(self) -> None:
        if not up_to_date(self.settings, self._migration_note):
            self._run_commands([(service, "migrate") for service in SERVICES])
            remember(self.settings, self._migration_note)

    def _start_processes(self, without: Collection[str]) -> None:
        listed = processes(self.settings, self.environment)
        self._processes = {process.name: process for process in listed}
        for process in listed:
            if process.name in without:
                continue
            if metrics := process.env.get("PROMETHEUS_MULTIPROC_DIR"):
                Path(metrics).mkdir(mode=0o700, parents=True, exist_ok=True)
            self.supervisor.start(process)

    def _seed_once(self) -> None:
        """Fill a new database; a mark beside the data says that it was done."""
        if self._seeding_note.exists():
            return
        self._report("database", "is filled with a season of shows, this first time")
        self._run_commands([*SEEDING[:_ASK_NOBODY]])
        for command in SEEDING[_ASK_NOBODY:]:
            self._run_commands([command])
        self._seeding_note.touch()

    def _run_commands(self, commands: list[tuple[str, ...]]) -> None:
        """Run commands of services side by side, each with a log of its own."""
        with ExitStack() as started:
            children = {name: self._start_command(started, *name) for name in commands}
            deadline = time.monotonic() + _COMMAND_SECONDS
            while any(child.poll() is None for child in children.values()):
                if time.monotonic() > deadline:
                    raise StackError("still not finished: " + ", ".join(map(" ".join, children)))
                self.supervisor.pause(0.02)
        for name, child in children.items():
            if child.returncode:
                raise StackError(self._failure("-".join(name[:2]), "failed"))

    def _start_command(
        self, started: ExitStack, service: str, *arguments: str
    ) -> subprocess.Popen[bytes]:
        with log_file(self.run_dir, f"{service}-{arguments[0]}").open("wb") as log:
            child = subprocess.Popen(
                cli_command(service, *arguments),
                cwd=service_folder(service),
                env=service_environment(self.settings, self.environment, service),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.enter_context(child)
        started.callback(child.kill)  # does nothing to one that has ended
        return child

    def _publish_settings(self) -> None:
        """Let `make ps`, `make db-url` … know what this stack was started with."""
        published = self.run_dir / _PUBLISHED_FILE
        write_values(published, self.settings.values)
        self._undo.callback(published.unlink, missing_ok=True)

    def _failure(self, name: str, what: str) -> str:
        log = log_file(self.run_dir, name)
        return f"{name} {what}; the end of {log}:\n{log_tail(self.run_dir, name)}"


def published_settings(run_dir: Path) -> Settings | None:
    """Return the settings of the stack that runs in this folder."""
    values = read_values(run_dir / _PUBLISHED_FILE)
    return Settings(run_dir, values) if values else None


def clear_up(run_dir: Path) -> list[str]:
    """Stop what a killed run left in this folder, and forget its settings; return the names."""
    names = stop_leftovers(run_dir)
    (run_dir / _PUBLISHED_FILE).unlink(missing_ok=True)
    return names


def _address(process: Process) -> str:
    return f"127.0.0.1:{process.port}"

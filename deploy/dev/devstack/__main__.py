"""`python -m devstack`: what the Makefile calls."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from devstack.errors import StackError
from devstack.lock import runner
from devstack.ports import LOOPBACK
from devstack.processes import cli_command, inherited, service_environment, service_folder
from devstack.reach import remove_cluster, wheel_binaries
from devstack.restoring import backup_environment, restore
from devstack.settings import (
    CHECKOUT,
    DATABASE,
    ROLES,
    SECRETS_FILE,
    SERVICES,
    Settings,
    resolve,
)
from devstack.stack import SEEDING, Stack, clear_up, published_settings
from devstack.status import database_answers, statuses, table
from devstack.supervision import Cancelled

_STOP_SECONDS = 60.0
_OFFLINE = frozenset({"migrate-sql", "openapi"})  # commands of a service that need no database
_NOT_RUNNING = "Comedy Connect does not run here: start it with `make run`"
_ACCOUNTS = ("audience", "organizer", "comedian", "admin")


def main() -> int:
    """Do what the command line asks for; a refusal is one line and status 1."""
    arguments = _parser().parse_args()
    try:
        result: int = arguments.do(arguments)
    except StackError as error:
        print(f"devstack: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return result


def _run(_: argparse.Namespace) -> int:
    began = time.monotonic()
    stack = Stack(_run_dir(), report=_report)
    stopping = _call_on_signals(stack.cancel)
    try:
        with stack:
            _print_welcome(stack, time.monotonic() - began)
            while not stopping():
                time.sleep(0.2)
            print("\nstopping", flush=True)
    except Cancelled:
        pass
    print("stopped; the data stays for the next `make run`", flush=True)
    return 0


def _call_on_signals(callback: Callable[[], None]) -> Callable[[], bool]:
    """Have Ctrl-C and other requests to end call back, and return whether one has come."""
    received: list[int] = []

    def handle(number: int, _: FrameType | None) -> None:
        received.append(number)
        callback()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handle)
    return lambda: bool(received)


def _report(what: str, outcome: str) -> None:
    print(f"  {what:<16} {outcome}", flush=True)


def _print_welcome(stack: Stack, seconds: float) -> None:
    accounts = "  ".join(f"{name}@comedy.example" for name in _ACCOUNTS)
    print(
        f"\nComedy Connect is ready after {seconds:.0f} s at {stack.url}\n\n"
        f"  API docs     {stack.url}/docs\n"
        f"  metrics      http://{LOOPBACK}:{stack.settings['GATEWAY_METRICS_PORT']}/metrics\n"
        f"  sign in as   {accounts}\n"
        f"               or as anybody else, by e-mail\n"
        f"  logs         {stack.run_dir / 'logs'}\n"
        f"  mails        {stack.settings['MAIL_URL']}\n"
        f"  next         make demo   make ps   make db-url   make help\n\n"
        f"Ctrl-C stops everything.",
        flush=True,
    )


def _stop(_: argparse.Namespace) -> int:
    names = _stop_stack(_run_dir())
    print(f"stopped {names}" if names else "nothing was running")
    return 0


def _stop_stack(run_dir: Path) -> str:
    pid = runner(run_dir)
    if pid is None:
        return ", ".join(clear_up(run_dir))
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while runner(run_dir):
        if time.monotonic() > deadline:
            raise StackError(f"`make run` (pid {pid}) does not stop")
        time.sleep(0.1)
    return "Comedy Connect"


def _reset(_: argparse.Namespace) -> int:
    run_dir = _run_dir()
    if not (run_dir / "lock").exists():
        print("there is nothing to remove")
        return 0
    _stop_stack(run_dir)
    remove_cluster(run_dir)
    shutil.rmtree(run_dir)
    print("removed database, secrets and logs; `make run` starts over")
    return 0


def _ps(_: argparse.Namespace) -> int:
    found = statuses(_settings_of_running_stack())
    print(table(found))
    if runner(_run_dir()) is None:
        raise StackError("`make run` was killed: `make stop` or `make run` clears what it left")
    return 0 if all(each.healthy for each in found) else 1


def _db_url(arguments: argparse.Namespace) -> int:
    print(_settings().database_url(arguments.role))
    return 0


def _psql(arguments: argparse.Namespace) -> int:
    settings = _settings_of_running_database()
    role = arguments.role
    psql = str(Path(os.environ.get("PG_BIN") or wheel_binaries()) / "psql")
    url = f"postgresql://{role}@{LOOPBACK}:{settings['PG_PORT']}/{DATABASE}"
    os.environ["PGPASSWORD"] = settings.password(role)  # arguments can be seen by everybody
    os.execv(psql, [psql, *arguments.words, url])  # noqa: S606 - no shell wanted


def _cli(arguments: argparse.Namespace) -> int:
    """Run a command of one service, or the same of each, with the environment it would have."""
    worst = 0
    for service in [arguments.service] if arguments.service else SERVICES:
        environment = _cli_environment(service, arguments)
        done = subprocess.run(
            cli_command(service, *arguments.words),
            cwd=service_folder(service),
            env=environment,
            check=False,
        )
        worst = max(worst, done.returncode)
    return worst


def _cli_environment(service: str, arguments: argparse.Namespace) -> dict[str, str]:
    if arguments.words[0] in _OFFLINE:
        return dict(os.environ)
    if os.environ.get("MIGRATION_DATABASE_URL"):
        if not arguments.service:
            raise StackError("MIGRATION_DATABASE_URL is one service's: say which with SERVICE=<x>")
        return dict(os.environ)
    return service_environment(_settings_of_running_database(), os.environ, service)


def _seed(_: argparse.Namespace) -> int:
    settings = _settings_of_running_database()
    for service, *words in SEEDING:
        subprocess.run(
            cli_command(service, *words),
            cwd=service_folder(service),
            env=service_environment(settings, os.environ, service),
            check=True,
        )
    return 0


def _exec(arguments: argparse.Namespace) -> int:
    """Run a program that uses the running stack from outside and may read its database."""
    settings = _settings_of_running_stack()
    environment = {
        **inherited(settings, os.environ),
        "PUBLIC_URL": settings["PUBLIC_URL"],
        "DATABASE_URL": settings.database_url("auditor"),
    }
    done = subprocess.run(arguments.words, env=environment, check=False)
    return done.returncode


def _erasure_scan(arguments: argparse.Namespace) -> int:
    """Search the database and the folders of the stack, which may be stopped but for Postgres."""
    settings = _settings_of_running_database()
    run_dir = settings.run_dir
    folders = [
        settings["MEDIA_DIR"],
        str(run_dir / "logs"),
        str(run_dir / "metrics"),
        settings["ERASURE_JOURNAL"],
    ]
    environment = {
        **inherited(settings, os.environ),
        "DATABASE_URL": settings.database_url("auditor"),
        "MEDIA_STORAGE": settings["MEDIA_STORAGE"],
        "SCAN_FOLDERS": os.pathsep.join(folders),
    }
    scan = [sys.executable, "-m", "erasure_scan", *arguments.words]
    return subprocess.run(scan, env=environment, check=False).returncode


def _backup(arguments: argparse.Namespace) -> int:
    """Back up the data of the stack, which may be running."""
    settings = _settings_of_running_database()
    pg_bin = Path(os.environ.get("PG_BIN") or wheel_binaries())
    folder = arguments.folder or _folder_of_today()
    make = [sys.executable, "-m", "backup", "make", str(folder)]
    environment = backup_environment(settings, os.environ, pg_bin)
    return subprocess.run(make, env=environment, check=False).returncode


def _folder_of_today() -> Path:
    """Return a folder that `make reset` leaves alone."""
    return CHECKOUT / "backups" / datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")


def _restore(arguments: argparse.Namespace) -> int:
    stack = Stack(_run_dir(), report=_report)
    try:
        stack.start_database()
        restore(stack, arguments.folder, service=arguments.service, replace=arguments.replace)
    finally:
        stack.stop()
    print("restored; `make run` starts it")
    return 0


def _run_dir() -> Path:
    return Path(os.environ.get("RUN_DIR") or CHECKOUT / ".run").resolve()


def _settings() -> Settings:
    """Return what the running stack was started with, otherwise what it would be started with."""
    run_dir = _run_dir()
    if published := published_settings(run_dir):
        return published
    if not (run_dir / SECRETS_FILE).exists():
        raise StackError(_NOT_RUNNING)
    return resolve(run_dir, os.environ)


def _settings_of_running_stack() -> Settings:
    settings = published_settings(_run_dir())
    if settings is None:
        raise StackError(_NOT_RUNNING)
    return settings


def _settings_of_running_database() -> Settings:
    settings = _settings()
    if not database_answers(settings):
        raise StackError(
            f"Postgres does not answer at port {settings['PG_PORT']}: `make run` starts it"
        )
    return settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="devstack", description="Comedy Connect on this machine")
    commands = parser.add_subparsers(required=True)

    def add(
        name: str, do: Callable[[argparse.Namespace], int], about: str
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=about)
        command.set_defaults(do=do)
        return command

    add("run", _run, "start everything and stay until Ctrl-C")
    add("stop", _stop, "stop what runs")
    add("reset", _reset, "stop, and remove all data")
    add("ps", _ps, "list the processes")
    db_url = add("db-url", _db_url, "print a URL of the database")
    psql = add("psql", _psql, "open psql, or pass words to it")
    for command in (db_url, psql):
        command.add_argument("--role", choices=ROLES, default="postgres")
    cli = add("cli", _cli, "run a command of a service, or of all")
    cli.add_argument("--service", choices=SERVICES)
    add("seed", _seed, "fill the database; what is there already stays")
    execute = add("exec", _exec, "run a program with the URLs of the running stack")
    scan = add("erasure-scan", _erasure_scan, "search for what is left of a person")
    backup = add("backup", _backup, "write the data into a folder")
    backup.add_argument("folder", type=Path, nargs="?")
    restoring = add("restore", _restore, "bring a stopped stack back to a backup")
    restoring.add_argument("folder", type=Path)
    restoring.add_argument("--service", choices=SERVICES)
    restoring.add_argument("--replace", action="store_true")
    for command in (psql, cli, execute, scan):
        command.add_argument("words", nargs=argparse.REMAINDER)
    return parser


if __name__ == "__main__":
    sys.exit(main())

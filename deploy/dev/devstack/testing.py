"""Pytest plugin: a real Postgres for the session, with the schemas that services ask for."""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from devstack.ports import free_ports
from devstack.postgres import Postgres, throwaway_postgres
from devstack.settings import CHECKOUT, PORTS
from devstack.stack import Stack
from devstack.supervision import stop_leftovers


@dataclass(frozen=True, slots=True)
class ServiceDatabase:
    """One service's schema, as that service and as its owner see it."""

    url: str
    owner_url: str


class Databases:
    """The session's server; a service's schema is migrated when it is first asked for.

    By the checkout that `SCHEMA_FROM` names, which may be of another release (`previous_release`).
    """

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres
        self._migrated: dict[str, ServiceDatabase] = {}

    def of(self, service: str) -> ServiceDatabase:
        """Return the migrated schema of a service."""
        if service not in self._migrated:
            settings = self.postgres.settings
            database = ServiceDatabase(
                settings.database_url(service), settings.database_url(f"{service}_owner")
            )
            schema_from = Path(os.environ.get("SCHEMA_FROM", CHECKOUT))
            run_cli(service, "migrate", owner_url=database.owner_url, checkout=schema_from)
            self._migrated[service] = database
        return self._migrated[service]


def run_cli(service: str, *words: str, owner_url: str, checkout: Path = CHECKOUT) -> str:
    """Run one command of a service's command line as an operator would; return what it printed.

    Raises:
        AssertionError: it failed; with what it said.
    """
    folder = checkout / "services" / service
    sources = os.pathsep.join([str(folder / "src"), str(checkout / "shared/src")])
    done = subprocess.run(
        [sys.executable, "-m", f"{service}_service.cli", *words],
        cwd=folder,
        env={**os.environ, "MIGRATION_DATABASE_URL": owner_url, "PYTHONPATH": sources},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"  # noqa: S101
    return done.stdout


def eventually(look: Callable[[], bool], *, seconds: float = 20) -> None:
    """Wait until something has become true; what users see may lag behind by a moment.

    It looks again after ever longer pauses, about 50 times in 20 s: who looks all the time costs
    the machine what it waits for, and is refused in the end for having asked too often.

    Raises:
        AssertionError: it did not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    pause = 0.02
    while not look():
        assert time.monotonic() < deadline, "it never became true"  # noqa: S101
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)


_SLOWER_LATER = (
    *("/unit/", "/integration/", "/api/", "/contract/"),  # the last one leaves all sorts of things
    *("/packaging/", "/chaos/", "/observability/", "/rolling/", "/system/", "/browser/"),
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what is fast first, and what needs every process last; the order within a kind stays."""

    def slowness(item: pytest.Item) -> int:
        path = item.path.as_posix()
        return max((n for n, kind in enumerate(_SLOWER_LATER, 1) if kind in path), default=0)

    items.sort(key=slowness)
    for item in items:
        _tell_apart(item)


def _tell_apart(item: pytest.Item) -> None:
    """Give the tests that Schemathesis makes the ids that their names promise.

    This release of pytest takes the name of the function for all of them: of several processes,
    each would run one test a function.
    """
    if item.parent is not None and not item.nodeid.endswith(f"::{item.name}"):
        item._id = item.id.parse(f"{item.parent.nodeid}::{item.name}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "_TogetherIfTheyShare":
    """Where several processes share the tests, give what shares servers to one of them."""
    return _TogetherIfTheyShare(config, log)


class _TogetherIfTheyShare(LoadScopeScheduling):
    """Keeps tests together that share what is costly to start: a service's, a folder's.

    Those of the whole system take so long that each file goes by itself; every process starts one.
    (`--dist loadgroup` keeps nothing together: this release of pytest takes no ids with groups.)
    """

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.partition("::")[0])
        if file.parts[0] == "services":
            return file.parts[1]
        by_itself = file.parent.name in {"system", "browser"}
        return file.as_posix() if by_itself else file.parent.as_posix()


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """A Postgres server with all roles and schemas; the data is gone afterwards."""
    run_dir: Path = tmp_path_factory.mktemp("postgres")
    with throwaway_postgres(run_dir) as postgres:
        yield Databases(postgres)
    left = stop_leftovers(run_dir)
    assert not left, f"tests left these processes running: {', '.join(left)}"  # noqa: S101


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack as its first start leaves it, made once for all processes that share the tests.

    A copy of it, `Stack(…, copy_of=installed)`, has nothing to migrate and nothing to seed.
    """
    folder: Path = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    saved = folder / "installed"
    with (folder / "installed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not saved.exists():
            run_dir: Path = tmp_path_factory.mktemp("installing")
            with Stack(run_dir, free_ports(PORTS), throwaway=True) as stack:
                stack.save(saved)
    return saved

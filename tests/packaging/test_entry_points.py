"""An installation comes up: every command of docker-compose.yml, with the environment it says.

The images' files and commands are the real ones, the database too; only containers are missing.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.packaging.images import Unpacked
from tests.packaging.installations import (
    PRODUCTION,
    Process,
    composed,
    make_secrets,
    processes_of_compose,
)

from devstack.ports import LOOPBACK, free_ports
from devstack.postgres import Postgres, throwaway_postgres
from devstack.settings import CHECKOUT, SERVICES, SERVICES_WITH_WORKER

WEBS = SERVICES
WORKERS = tuple(f"{service}-worker" for service in SERVICES_WITH_WORKER)
JOBS = (*(f"{service}-migrate" for service in SERVICES), "seed-clients", "seed-fees")
PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Host:
    """Where the installation comes up: images in folders, secrets, a database with its roles."""

    images: dict[str, Unpacked]
    secrets: Path
    processes: dict[str, Process]

    def environment(self, process: Process) -> dict[str, str]:
        """Return what a container sees, but for where it listens and how long it drains."""
        told = process.environment_with_secrets_in(self.secrets)
        ports = [name for name in ("PORT", "WORKER_PORT") if name == "PORT" or name in told]
        image = self.images[process.service]
        here = {**free_ports(ports), "BIND": LOOPBACK, "DRAIN_SECONDS": "0"}
        return {**image.environment, **told, **here}

    def command(self, process: Process) -> list[str]:
        """Return what a container runs."""
        image = self.images[process.service]
        return image.here(list(process.command)) or image.command


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host on which everything has run that runs before the services."""
    folder = tmp_path_factory.mktemp("host")
    images = {service: Unpacked.into(_new(folder / service), service) for service in SERVICES}
    with throwaway_postgres(folder / "postgres") as postgres:
        secrets = folder / "secrets"
        make_secrets(secrets, database=f"{LOOPBACK}:{postgres.port}", development=True)
        _apply_roles(postgres, secrets)
        host = Host(images, secrets, processes_of_compose(PRODUCTION))
        for name in JOBS:
            _run(host, host.processes[name])
        yield host


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _apply_roles(postgres: Postgres, secrets: Path) -> None:
    """Do what `database-roles` does; the administrator's password is this server's."""
    (secrets / "postgres_password").write_text(postgres.settings.password("postgres"))
    container = composed(PRODUCTION)["services"]["database-roles"]
    shell, script = container["entrypoint"]
    done = subprocess.run(
        [shell, CHECKOUT / Path(script).relative_to("/")],
        env={
            **container["environment"],
            "PATH": f"{postgres.bin}:{os.environ['PATH']}",
            "PGHOST": LOOPBACK,
            "PGPORT": str(postgres.port),
            "SECRETS": str(secrets),
            "ROLES": str(CHECKOUT / "deploy/postgres/roles.sql"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _run(host: Host, process: Process) -> None:
    done = subprocess.run(
        host.command(process),
        cwd=host.images[process.service].work_folder,
        env=host.environment(process),
        executable=_found(host, process),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{process.name}: {done.stdout}{done.stderr}"


def _found(host: Host, process: Process) -> str | None:
    """Return the image's own program; Python would look along this process's path."""
    program = host.images[process.service].folder / "bin" / host.command(process)[0]
    return str(program) if program.exists() else None


@contextmanager
def _running(
    host: Host, process: Process, environment: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        host.command(process),
        cwd=host.images[process.service].work_folder,
        env=environment,
        executable=_found(host, process),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            yield child
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)


def _wait_for(
    host: Host, process: Process, check: list[str], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    image = host.images[process.service]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        done = subprocess.run(
            [image.folder / "bin" / check[0], *check[1:]],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0 or time.monotonic() > deadline:
            return done
        time.sleep(0.3)


@pytest.mark.parametrize("name", [*WEBS, *WORKERS])
def test_a_container_becomes_healthy_and_ends_when_asked(name: str, host: Host) -> None:
    process = host.processes[name]
    environment = host.environment(process)

    with _running(host, process, environment) as child:
        check = host.images[process.service].health_check
        answer = _wait_for(host, process, check, environment)
        if answer.returncode == 0 and name in WEBS:
            check = composed(PRODUCTION)["services"][name]["healthcheck"]["test"][1:]
            answer = _wait_for(host, process, check, environment)
        child.terminate()
        said, _ = child.communicate(timeout=PATIENCE_SECONDS)

    assert answer.returncode == 0, answer.stderr + said
    assert child.returncode == 0, said


def test_a_service_without_one_of_its_secrets_says_which_and_does_not_start(
    host: Host, tmp_path: Path
) -> None:
    process = host.processes["identity"]
    empty = tmp_path / "empty"
    empty.touch()
    told = {**host.environment(process), "ERASURE_KEY_FILE": str(empty)}

    done = subprocess.run(
        host.images["identity"].command,
        cwd=host.images["identity"].work_folder,
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "cannot start: ERASURE_KEY is not set" in done.stdout + done.stderr

"""What the descriptions of production say, read as the tools read them that carry them out."""

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from devstack.settings import CHECKOUT

COMPOSE_FILE = CHECKOUT / "docker-compose.yml"
PRODUCTION = CHECKOUT / "deploy/compose/production.env"
DEVELOPMENT = CHECKOUT / "deploy/compose/development.env"

SECRETS_FOLDER = "/run/secrets"

make_secrets: Callable[..., int] = runpy.run_path(
    str(CHECKOUT / "deploy/compose/make_secrets.py"), run_name="make_secrets"
)["make_secrets"]


@dataclass(frozen=True, slots=True)
class Process:
    """One container of ours: what it runs and what it is told."""

    name: str
    service: str
    command: tuple[str, ...]  # none: what the image runs by itself
    environment: Mapping[str, str]
    secrets: frozenset[str]  # the files it finds in `SECRETS_FOLDER`

    @property
    def secrets_read(self) -> set[str]:
        """The secrets its variables point to."""
        folder = f"{SECRETS_FOLDER}/"
        return {
            value.removeprefix(folder)
            for value in self.environment.values()
            if value.startswith(folder)
        }

    def environment_with_secrets_in(self, folder: Path) -> dict[str, str]:
        """Return the environment for a run in which the secrets lie elsewhere."""
        return {
            name: value.replace(SECRETS_FOLDER, str(folder), 1)
            if value.startswith(SECRETS_FOLDER)
            else value
            for name, value in self.environment.items()
        }


def program(name: str) -> str:
    """Return the path of a program that the development requirements bring along."""
    return str(Path(sys.executable).with_name(name))


@cache
def composed(settings: Path, *profiles: str) -> dict[str, Any]:
    """Return docker-compose.yml as Docker Compose understands it."""
    chosen = [word for profile in profiles for word in ("--profile", profile)]
    done = subprocess.run(
        [
            *(program("docker-compose"), "--file", str(COMPOSE_FILE)),
            *("--project-directory", str(CHECKOUT), "--env-file", str(settings), *chosen),
            *("config", "--format", "json"),
        ],
        env={"PATH": os.defpath, "HOME": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "level=warning" not in done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def processes_of_compose(settings: Path, *profiles: str) -> dict[str, Process]:
    """Return the containers of our four services' images, by name."""
    containers = composed(settings, *profiles)["services"]
    return {
        name: Process(
            name,
            service,
            tuple(container.get("command") or ()),
            container.get("environment", {}),
            frozenset(secret["source"] for secret in container.get("secrets", [])),
        )
        for name, container in containers.items()
        if (service := service_of_image(container["image"]))
    }


def service_of_image(image: str) -> str:
    """Return which service's image this is, nothing if it is another one."""
    name = image.rpartition(":")[0].rpartition("/")[2]
    return name if (CHECKOUT / "services" / name / "Dockerfile").is_file() else ""

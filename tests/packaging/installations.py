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

import pytest
import yaml

from devstack.settings import CHECKOUT

COMPOSE_FILE = CHECKOUT / "docker-compose.yml"
KUBERNETES = CHECKOUT / "deploy/k8s"
OVERLAY = KUBERNETES / "overlays/production"
PRODUCTION = CHECKOUT / "deploy/compose/production.env"
DEVELOPMENT = CHECKOUT / "deploy/compose/development.env"

SECRETS_FOLDER = "/run/secrets"

with pytest.MonkeyPatch.context() as environment:
    environment.setenv("PORT", "8000")
    environment.delenv("DRAIN_SECONDS", raising=False)
    WEB_SERVER = runpy.run_path(str(CHECKOUT / "deploy/gunicorn.conf.py"))

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


@cache
def manifests(*folders: Path) -> tuple[dict[str, Any], ...]:
    """Return the Kubernetes resources in files, as they are written."""
    return tuple(
        document
        for folder in folders
        for file in sorted(folder.glob("*.yaml"))
        if file.name != "kustomization.yaml" and not file.name.startswith("every-")
        for document in yaml.safe_load_all(file.read_text())
    )


def processes_of_kubernetes() -> dict[str, Process]:
    """Return the pods of our four services' images, by name."""
    settings = dict(
        line.split("=", 1) for line in (OVERLAY / "settings.env").read_text().splitlines()
    )
    found = {}
    for manifest in manifests(KUBERNETES / "base"):
        template = manifest.get("spec", {}).get("template")
        if template and (service := service_of_image(_container(manifest)["image"] + ":")):
            name = manifest["metadata"]["name"]
            found[name] = Process(
                name,
                service,
                tuple(_container(manifest).get("command", ())),
                _environment(manifest, settings),
                frozenset(mounted_secrets(manifest)[1]),
            )
    return found


def mounted_secrets(manifest: dict[str, Any]) -> tuple[str, set[str]]:
    """Return which Secret a pod mounts, and which files of it."""
    volumes = manifest["spec"]["template"]["spec"]["volumes"]
    (secret,) = (volume["secret"] for volume in volumes if "secret" in volume)
    assert all(item["key"] == item["path"] for item in secret["items"])
    return secret["secretName"], {item["key"] for item in secret["items"]}


def _container(manifest: dict[str, Any]) -> dict[str, Any]:
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    answer: dict[str, Any] = container
    return answer


def _environment(manifest: dict[str, Any], settings: Mapping[str, str]) -> dict[str, str]:
    values = {}
    for variable in _container(manifest)["env"]:
        source = variable.get("valueFrom", {})
        if "fieldRef" in source:
            assert source["fieldRef"] == {"fieldPath": "metadata.name"}
            values[variable["name"]] = f"{manifest['metadata']['name']}-0"
        elif "configMapKeyRef" in source:
            assert source["configMapKeyRef"]["name"] == "settings"
            values[variable["name"]] = settings[source["configMapKeyRef"]["key"]]
        else:
            values[variable["name"]] = variable["value"]
    return values


def service_of_image(image: str) -> str:
    """Return which service's image this is, nothing if it is another one."""
    name = image.rpartition(":")[0].rpartition("/")[2]
    return name if (CHECKOUT / "services" / name / "Dockerfile").is_file() else ""

"""What production tells each process, and what the process asks for: neither more nor less."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from tests.packaging.installations import (
    DEVELOPMENT,
    PRODUCTION,
    Process,
    make_secrets,
    processes_of_compose,
    processes_of_kubernetes,
)

import booking_service.settings as booking
import catalog_service.settings as catalog
import config_service.settings as config
import identity_service.settings as identity
from devstack.settings import SERVICES
from identity_service.domain.service_clients import GRANTS
from service_kit.migrations import URL_VARIABLE
from service_kit.settings import reading

Read: TypeAlias = Callable[[Mapping[str, str]], object]

# Read by the image's own commands, gunicorn, health checks, the S3 library and what sends traces.
AROUND_A_SERVICE = {
    *("WEB_CONCURRENCY", "AWS_SHARED_CREDENTIALS_FILE"),
    *("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"),
}


def owners_url(environment: Mapping[str, str]) -> str:
    with reading(environment) as env:
        return env.url(URL_VARIABLE)


def clients(environment: Mapping[str, str]) -> object:
    return identity.ClientSettings.from_env(environment, GRANTS)


# What each process reads at its start, and what commands read that are run in its container.
READ_BY: dict[str, list[Read]] = {
    "identity": [identity.Settings.from_env, identity.KeySettings.from_env],
    "identity-worker": [identity.WorkerSettings.from_env, identity.ReplaySettings.from_env],
    "catalog": [catalog.Settings.from_env],
    "catalog-worker": [catalog.Settings.from_env, catalog.WorkerSettings.from_env],
    "booking": [booking.Settings.from_env],
    "booking-worker": [booking.Settings.from_env, booking.WorkerSettings.from_env],
    "config": [config.Settings.from_env],
    "seed-clients": [clients],
    "seed-fees": [config.Settings.from_env],
    **{f"{service}-migrate": [owners_url] for service in SERVICES},
}
INSTALLATIONS: dict[str, Callable[[], dict[str, Process]]] = {
    "compose": lambda: processes_of_compose(PRODUCTION),
    "compose for development": lambda: processes_of_compose(DEVELOPMENT),
    "kubernetes": processes_of_kubernetes,
}


class Asked(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All secrets of an installation, filled in."""
    folder = tmp_path_factory.mktemp("secrets")
    make_secrets(folder, database="database:5432", development=True)
    return folder


@pytest.fixture(scope="module", params=INSTALLATIONS)
def installation(request: pytest.FixtureRequest) -> dict[str, Process]:
    return INSTALLATIONS[request.param]()


def test_every_process_of_a_service_is_known_here(installation: dict[str, Process]) -> None:
    assert installation.keys() == READ_BY.keys()


@pytest.mark.parametrize("name", READ_BY)
def test_a_process_is_told_all_that_it_needs(
    name: str, installation: dict[str, Process], secrets: Path
) -> None:
    environment = installation[name].environment_with_secrets_in(secrets)

    for read in READ_BY[name]:
        read(environment)  # names whatever is missing or wrong


@pytest.mark.parametrize("name", READ_BY)
def test_a_process_is_told_nothing_that_it_does_not_read(name: str, secrets: Path) -> None:
    variants = [processes()[name] for processes in INSTALLATIONS.values()]
    asked: set[str] = set()
    for each in variants:
        for read in READ_BY[name]:
            environment = Asked(each.environment_with_secrets_in(secrets))
            read(environment)
            asked |= environment.names

    known = asked | AROUND_A_SERVICE
    assert {each.name: set(each.environment) - known for each in variants} == {name: set()}


@pytest.mark.parametrize("name", READ_BY)
def test_no_secret_stands_in_an_environment(name: str, installation: dict[str, Process]) -> None:
    secret = ("SECRET", "SECRETS", "KEY", "PASSWORD", "DATABASE_URL")

    assert [each for each in installation[name].environment if each.endswith(secret)] == []

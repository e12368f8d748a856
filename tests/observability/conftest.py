"""The whole system, sending its traces to a collector of ours."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.observability.collector import Collector, collecting

from devstack.ports import free_ports
from devstack.settings import PORTS
from devstack.stack import Stack


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def traced(
    collector: Collector, tmp_path_factory: pytest.TempPathFactory, installed: Path
) -> Iterator[Stack]:
    environment = {**free_ports(PORTS), **collector.environment}
    folder = tmp_path_factory.mktemp("traced")
    with Stack(folder, environment, copy_of=installed) as stack:
        yield stack

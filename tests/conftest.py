"""Every process and the real gateway, on free ports, with the demonstration season."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.ports import free_ports
from devstack.settings import PORTS
from devstack.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, installed: Path) -> Iterator[Stack]:
    environment = {**free_ports(PORTS), "KEY_REFRESH_SECONDS": "1"}
    folder = tmp_path_factory.mktemp("stack")
    with Stack(folder, environment, copy_of=installed) as stack:
        yield stack

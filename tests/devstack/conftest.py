from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.postgres import Postgres, throwaway_postgres
from devstack.reach import remove_cluster


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A running server with the roles and schemas of all services."""
    with throwaway_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def run_dir(tmp_path: Path) -> Iterator[Path]:
    """A folder for a stack of the test's own; nothing of it stays, not even outside the folder."""
    folder = tmp_path / "run"
    folder.mkdir()
    yield folder
    remove_cluster(folder)

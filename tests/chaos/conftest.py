"""A real Postgres behind the proxy."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import psycopg
import pytest

from chaos.faults import Faults, Owner
from chaos.postgres_proxy import OwnerOf, postgres_proxy
from chaos.statements import Grammar
from devstack.ports import free_ports
from devstack.postgres import Postgres, throwaway_postgres

Proxied = Callable[..., str]

TABLES = """
    CREATE TABLE IF NOT EXISTS note (text text PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS page (text text);
    CREATE OR REPLACE FUNCTION write_note(text) RETURNS text LANGUAGE sql
    AS 'INSERT INTO note VALUES ($1) RETURNING text';
"""


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with throwaway_postgres(tmp_path_factory.mktemp("postgres")) as server:
        with psycopg.connect(server.settings.database_url("postgres")) as connection:
            connection.execute(TABLES)
        yield server


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def proxied(postgres: Postgres, faults: Faults) -> Iterator[Proxied]:
    """Return the URL of the database, its tables empty, behind a proxy.

    Who connects belongs to the tests themselves, unless they say who does.
    """
    ourselves = Owner("tests", psutil.Process())
    with psycopg.connect(postgres.settings.database_url("postgres")) as connection:
        connection.execute("TRUNCATE note, page")
    with ExitStack() as proxies:

        def url(owner_of: OwnerOf = lambda *_ports: ourselves) -> str:
            grammar = Grammar(["write_note"])
            port = proxies.enter_context(postgres_proxy(postgres.port, faults, grammar, owner_of))
            direct = postgres.settings.database_url("postgres")
            return direct.replace(f":{postgres.port}/", f":{port}/")

        yield url


@pytest.fixture
def direct(postgres: Postgres) -> Iterator[psycopg.Connection]:
    """A connection that no proxy sees."""
    url = postgres.settings.database_url("postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


@pytest.fixture
def postgres_away(faults: Faults, postgres: Postgres) -> Iterator[str]:
    """The URL of a proxy behind which nobody listens."""
    away = int(free_ports(["AWAY"])["AWAY"])
    with postgres_proxy(away, faults, Grammar(), lambda *_ports: None) as port:
        direct = postgres.settings.database_url("postgres")
        yield direct.replace(f":{postgres.port}/", f":{port}/")

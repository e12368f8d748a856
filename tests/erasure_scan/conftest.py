from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from devstack.postgres import throwaway_postgres
from devstack.testing import Databases
from erasure_scan.findings import Finding
from erasure_scan.scan import scan

Plant = Callable[..., None]
Scan = Callable[..., list[Finding]]


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """A server of these tests' own: in the session's, others have what the auditor may not read."""
    with throwaway_postgres(tmp_path_factory.mktemp("scanned")) as postgres:
        yield Databases(postgres)


@pytest.fixture
def administrator(databases: Databases) -> Iterator[psycopg.Connection]:
    """The server's administrator, in a schema of the test's own that the auditor may read."""
    url = databases.postgres.settings.database_url("postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA planted")
        connection.execute("GRANT USAGE ON SCHEMA planted TO auditor")
        connection.execute(
            "ALTER DEFAULT PRIVILEGES IN SCHEMA planted GRANT SELECT ON TABLES TO auditor"
        )
        yield connection
        connection.execute(
            "ALTER DEFAULT PRIVILEGES IN SCHEMA planted REVOKE SELECT ON TABLES FROM auditor"
        )
        connection.execute("DROP SCHEMA planted CASCADE")


@pytest.fixture
def plant(administrator: psycopg.Connection) -> Plant:
    """Put one value into a column of a type, in a table of its own, between other rows."""

    def into(column_type: str, value: Any) -> None:
        administrator.execute(
            sql.SQL("CREATE TABLE planted.pot (number int PRIMARY KEY, seed {})").format(
                sql.SQL(column_type)
            )
        )
        administrator.execute("INSERT INTO planted.pot VALUES (1), (3)")
        administrator.execute(
            sql.SQL("INSERT INTO planted.pot VALUES (2, %s::{})").format(sql.SQL(column_type)),
            (value,),
        )

    return into


@pytest.fixture
def scan_all(databases: Databases, tmp_path: Path) -> Scan:
    """Scan the session's database and the test's folder."""
    url = databases.postgres.settings.database_url("auditor")
    return lambda **values: scan(url, [tmp_path], values)

"""Every row of every table, in one snapshot, as the role that reads everything."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from erasure_scan.errors import Unreadable
from erasure_scan.findings import Evidence
from erasure_scan.matcher import Matcher

_BATCH_BYTES = 1 << 20
_KEY_CHARACTERS = 60

# Materialized views hold rows of their own, partitions those of the table that they are parts of.
_TABLES = """
SELECT n.nspname, c.relname,
       ARRAY(SELECT a.attname::text FROM pg_attribute AS a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
       ARRAY(SELECT a.attname::text FROM pg_index AS i JOIN pg_attribute AS a
             ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
             WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY a.attnum)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its columns; one without a primary key is read with where its rows are stored."""

    schema: str
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


def search_tables(database_url: str, matcher: Matcher, evidence: Evidence) -> None:
    """Search every table that is not Postgres' own.

    Raises:
        Unreadable: the server does not answer, or the role may not read a table.
    """
    with _snapshot(database_url) as connection:
        for table in _tables(connection):
            evidence.rows[str(table)] = 0
            for batch in _batches(connection, table):
                evidence.rows[str(table)] += len(batch)
                if matcher.matches(b"".join(batch)):
                    _search_rows(batch, table, matcher, evidence)


@contextmanager
def _snapshot(database_url: str) -> Iterator[psycopg.Connection]:
    try:
        with psycopg.connect(
            database_url, application_name="erasure scan", client_encoding="UTF8", connect_timeout=5
        ) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            yield connection
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise Unreadable(
            f"the database cannot be searched, it has to be running: {reason}"
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise Unreadable(
            f"the role cannot read everything: {error.diag.message_primary}"
        ) from error


def _tables(connection: psycopg.Connection) -> list[Table]:
    found = connection.execute(_TABLES).fetchall()
    return [
        Table(
            schema, name, (*([] if key else ["ctid"]), *columns), tuple(key) if key else ("ctid",)
        )
        for schema, name, columns, key in found
    ]


def _batches(connection: psycopg.Connection, table: Table) -> Iterator[list[bytes]]:
    """Yield rows in the text form of COPY, about a megabyte at a time."""
    statement = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (NULL '')").format(
        sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        sql.Identifier(table.schema, table.name),
    )
    batch: list[bytes] = []
    size = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in copy:
            batch.append(bytes(row))
            size += len(row)
            if size >= _BATCH_BYTES:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _search_rows(batch: list[bytes], table: Table, matcher: Matcher, evidence: Evidence) -> None:
    for row in batch:
        if not matcher.matches(row):
            continue
        cells = dict(zip(table.columns, row.rstrip(b"\n").split(b"\t"), strict=True))
        found = {
            column: sightings
            for column, cell in cells.items()
            if (sightings := matcher.sightings(cell))
        }
        key = _key(table, cells, hidden=found.keys())
        for column, sightings in found.items():
            for value, encoding in sorted(sightings):
                evidence.add(f"{table}.{column}", value, encoding, key)


def _key(table: Table, cells: dict[str, bytes], *, hidden: Collection[str]) -> str:
    """Return a row's primary key for an operator, without what was searched for."""
    shown = {
        column: "(found)" if column in hidden else cells[column].decode("utf-8", "replace")
        for column in table.key
    }
    return ", ".join(f"{column}={text[:_KEY_CHARACTERS]}" for column, text in shown.items())

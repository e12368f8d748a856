"""For tests: a database with very many rows, and how Postgres comes by what is read of them."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import psycopg
from sqlalchemy import event
from sqlalchemy.orm import Session

from devstack.testing import Databases, run_cli

T = TypeVar("T")

Node = dict[str, Any]
UrlOf = Callable[[str], str]


@contextmanager
def database_of_its_own(databases: Databases, service: str) -> Iterator[UrlOf]:
    """Have another database with a service's schema; yield who it is for each role."""
    settings, name = databases.postgres.settings, f"{service}_plans"

    def url_of(role: str) -> str:
        return urlsplit(settings.database_url(role))._replace(path=f"/{name}").geturl()

    with psycopg.connect(settings.database_url("postgres"), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        with psycopg.connect(url_of("postgres")) as connection:
            for statement in (
                f"CREATE SCHEMA {service} AUTHORIZATION {service}_owner",
                f"CREATE SCHEMA {service}_workflows AUTHORIZATION {service}_owner",
                "CREATE SCHEMA extensions",
                "CREATE EXTENSION pg_trgm WITH SCHEMA extensions",
                f"GRANT USAGE ON SCHEMA extensions TO {service}_owner",
            ):
                connection.execute(statement.encode())
        run_cli(service, "migrate", owner_url=url_of(f"{service}_owner"))
        yield url_of
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def explained(session: Session, read: Callable[[Session], T]) -> tuple[T, list[Node]]:
    """Return what is read, and the nodes of the plans by which it is."""
    engine, sent = session.get_bind(), list[tuple[str, Any]]()

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_others: Any) -> None:
        sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        found = read(session)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    nodes: list[Node] = []
    for statement, parameters in sent:
        plan = session.connection().exec_driver_sql(
            f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", parameters
        )
        nodes += _with_children(plan.scalar_one()[0]["Plan"])
    return found, nodes


def read_whole(nodes: Collection[Node]) -> set[str]:
    """Return the tables that are read from one end to the other."""
    return {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"}


def rows_looked_at(nodes: Collection[Node], *, but_of: Collection[str] = ()) -> int:
    """Return how many rows of tables and indexes were looked at, also of those thrown away."""
    thrown_away = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    return sum(
        int(node["Actual Rows"] + sum(node.get(kind, 0) for kind in thrown_away))
        * int(node["Actual Loops"])
        for node in nodes
        if node.keys() & {"Relation Name", "Index Name"} and node.get("Relation Name") not in but_of
    )


def _with_children(plan: Node) -> Iterator[Node]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _with_children(child)

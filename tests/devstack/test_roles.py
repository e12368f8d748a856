from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest
from psycopg import errors

from devstack.postgres import Postgres

SERVICES = ("identity", "catalog", "booking", "config")


@pytest.fixture(scope="module", autouse=True)
def catalog_table(postgres: Postgres) -> Iterator[None]:
    """A table and a function as a migration of catalog makes them."""
    execute(
        postgres, "catalog_owner", "CREATE TABLE catalog.show (id serial PRIMARY KEY, title text)"
    )
    execute(postgres, "catalog_owner", "INSERT INTO catalog.show (title) VALUES ('Open mic')")
    execute(postgres, "catalog_owner", "CREATE FUNCTION catalog.one() RETURNS int RETURN 1")
    yield
    execute(postgres, "catalog_owner", "DROP TABLE catalog.show; DROP FUNCTION catalog.one")


def execute(
    postgres: Postgres, role: str, statement: LiteralString
) -> psycopg.Cursor[tuple[object, ...]]:
    with psycopg.connect(postgres.settings.database_url(role)) as connection:
        return connection.execute(statement)


def test_a_service_works_with_the_rows_its_owner_made(postgres: Postgres) -> None:
    execute(postgres, "catalog", "INSERT INTO show (title) VALUES ('Roast'); SELECT catalog.one()")
    execute(postgres, "catalog", "UPDATE show SET title = 'Roast night' WHERE title = 'Roast'")
    assert (
        execute(postgres, "catalog", "DELETE FROM show WHERE title = 'Roast night'").rowcount == 1
    )


@pytest.mark.parametrize("stranger", [s for s in SERVICES if s != "catalog"])
@pytest.mark.parametrize("suffix", ["", "_owner"])
def test_no_other_service_reads_it(postgres: Postgres, stranger: str, suffix: str) -> None:
    for statement in ("SELECT * FROM catalog.show", "SELECT catalog.one()"):
        with pytest.raises(errors.InsufficientPrivilege, match="schema catalog"):
            execute(postgres, stranger + suffix, statement)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION one() RETURNS int RETURN 1",
        "CREATE EXTENSION citext",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "SET ROLE catalog_owner",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ],
)
def test_a_service_can_make_nothing(
    postgres: Postgres, service: str, statement: LiteralString
) -> None:
    with (
        psycopg.connect(postgres.settings.database_url(service), autocommit=True) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


@pytest.mark.parametrize(
    "statement", ["ALTER TABLE show ADD x int", "TRUNCATE show", "DROP TABLE show"]
)
def test_a_service_cannot_change_its_own_tables(
    postgres: Postgres, statement: LiteralString
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        execute(postgres, "catalog", statement)


def test_the_auditor_reads_everything(postgres: Postgres) -> None:
    assert execute(postgres, "auditor", "SELECT count(*) FROM catalog.show").fetchone() == (1,)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO catalog.show (title) VALUES ('x')",
        "UPDATE catalog.show SET title = 'x'",
        "DELETE FROM catalog.show",
        "SELECT nextval('catalog.show_id_seq')",
        "SELECT catalog.one()",
        "CREATE TABLE catalog.mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
    ],
)
def test_the_auditor_writes_nothing_even_outside_read_only_transactions(
    postgres: Postgres, statement: LiteralString
) -> None:
    with psycopg.connect(postgres.settings.database_url("auditor")) as connection:
        connection.execute("SET TRANSACTION READ WRITE")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("suffix", ["", "_owner"])
def test_services_may_compare_the_spelling_of_words(
    postgres: Postgres, service: str, suffix: str
) -> None:
    similar = "SELECT extensions.word_similarity('lamakan', 'at lamakaan') > 0.5"
    assert execute(postgres, service + suffix, similar).fetchone() == (True,)
    with pytest.raises(errors.InsufficientPrivilege):
        execute(postgres, service + suffix, "CREATE TABLE extensions.mine (id int)")


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_of_a_service_lasts_long(postgres: Postgres, service: str) -> None:
    limits = execute(
        postgres,
        service,
        "SELECT current_setting('lock_timeout'), current_setting('statement_timeout'),"
        " current_setting('idle_in_transaction_session_timeout')",
    ).fetchone()
    assert limits == ("2s", "5s", "10s")


def test_the_script_can_run_again_and_sets_passwords_anew(postgres: Postgres) -> None:
    execute(postgres, "postgres", "ALTER ROLE booking PASSWORD 'forgotten'")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        execute(postgres, "booking", "SELECT 1")

    postgres.apply_roles()

    assert execute(postgres, "booking", "SELECT 1").rowcount == 1
    assert execute(postgres, "auditor", "SELECT count(*) FROM catalog.show").rowcount == 1

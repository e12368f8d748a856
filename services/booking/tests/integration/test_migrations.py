from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from devstack.postgres import throwaway_postgres
from devstack.supervision import stop_leftovers
from devstack.testing import Databases, run_cli


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """A server of its own: what is undone is not there for a moment."""
    run_dir: Path = tmp_path_factory.mktemp("undone")
    with throwaway_postgres(run_dir) as postgres:
        yield Databases(postgres)
    stop_leftovers(run_dir)


def test_models_and_migrations_describe_the_same_schema(databases: Databases) -> None:
    owner_url = databases.of("booking").owner_url

    assert "newest 2026" in run_cli("booking", "migrate-status", owner_url=owner_url)


def test_the_newest_migrations_can_be_undone_and_done_again(others: Databases) -> None:
    owner_url = others.of("booking").owner_url

    run_cli("booking", "rollback", "--to", "20261122_2015", owner_url=owner_url)
    run_cli("booking", "migrate", owner_url=owner_url)

    assert "newest 2026" in run_cli("booking", "migrate-status", owner_url=owner_url)


def test_an_index_that_a_reader_keeps_from_going_leaves_the_sale_as_it_was(
    others: Databases,
) -> None:
    owner_url = others.of("booking").owner_url
    with psycopg.connect(owner_url) as backup:
        backup.execute("SELECT count(*) FROM booking.booking")  # and goes on, as a dump would
        with pytest.raises(AssertionError, match="lock timeout"):
            run_cli("booking", "rollback", "--to", "20261128_0330", owner_url=owner_url)
        assert backup.execute(
            "SELECT to_regproc('booking.reserve_v4') IS NOT NULL,"
            " to_regproc('booking.reserve_unhindered_v2') IS NOT NULL"
        ).fetchone() == (True, True)

    run_cli("booking", "rollback", "--to", "20261128_0330", owner_url=owner_url)
    run_cli("booking", "migrate", owner_url=owner_url)
    assert "newest 2026" in run_cli("booking", "migrate-status", owner_url=owner_url)


def test_what_nothing_else_knows_is_not_undone(others: Databases) -> None:
    owner_url = others.of("booking").owner_url
    admin = psycopg.connect(others.postgres.settings.database_url("postgres"), autocommit=True)
    with admin:
        admin.execute("SET session_replication_role = replica")  # a row without its booking
        admin.execute(
            "INSERT INTO booking.admission (booking_id, seat, nonce, by_admin, admitted_at)"
            " VALUES (gen_random_uuid(), 1, 'n', false, now())"
        )

    with pytest.raises(AssertionError, match="restore a backup"):
        run_cli("booking", "rollback", "--to", "20261122_2346", owner_url=owner_url)

    with psycopg.connect(owner_url) as owner:
        assert owner.execute("SELECT count(*) FROM booking.admission").fetchone() == (1,)
    run_cli("booking", "migrate", owner_url=owner_url)
    assert "newest 2026" in run_cli("booking", "migrate-status", owner_url=owner_url)

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
    owner_url = databases.of("catalog").owner_url

    assert "newest 2026" in run_cli("catalog", "migrate-status", owner_url=owner_url)


def test_the_newest_migrations_can_be_undone_and_done_again(others: Databases) -> None:
    owner_url = others.of("catalog").owner_url

    run_cli("catalog", "rollback", "--to", "20261122_2310", owner_url=owner_url)
    run_cli("catalog", "migrate", owner_url=owner_url)

    assert "newest 2026" in run_cli("catalog", "migrate-status", owner_url=owner_url)


def test_tombstones_are_not_undone(others: Databases) -> None:
    owner_url = others.of("catalog").owner_url
    with psycopg.connect(owner_url) as owner:
        owner.execute(
            "INSERT INTO catalog.account_deletion (saga_id, person_hash, state, ended_at)"
            " VALUES (gen_random_uuid(), sha256('x'), 'PURGED', now())"
        )

    with pytest.raises(AssertionError, match="restore a backup"):
        run_cli("catalog", "rollback", "--to", "20261122_2310", owner_url=owner_url)

    run_cli("catalog", "migrate", owner_url=owner_url)
    with psycopg.connect(owner_url) as owner:
        assert owner.execute("SELECT count(*) FROM catalog.account_deletion").fetchone() == (1,)

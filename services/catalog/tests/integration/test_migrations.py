from devstack.testing import Databases, run_cli


def test_models_and_migrations_describe_the_same_schema(databases: Databases) -> None:
    owner_url = databases.of("catalog").owner_url

    assert "newest 2026" in run_cli("catalog", "migrate-status", owner_url=owner_url)


def test_the_newest_migrations_can_be_undone_and_done_again(databases: Databases) -> None:
    owner_url = databases.of("catalog").owner_url

    run_cli("catalog", "rollback", "--to", "20261122_2310", owner_url=owner_url)
    run_cli("catalog", "migrate", owner_url=owner_url)

    assert "newest 2026" in run_cli("catalog", "migrate-status", owner_url=owner_url)

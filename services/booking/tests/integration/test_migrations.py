from devstack.testing import Databases, run_cli


def test_models_and_migrations_describe_the_same_schema(databases: Databases) -> None:
    owner_url = databases.of("booking").owner_url

    assert "newest 2026" in run_cli("booking", "migrate-status", owner_url=owner_url)

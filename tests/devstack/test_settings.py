import stat
from pathlib import Path

import pytest

from devstack.errors import StackError
from devstack.settings import PORTS, beside_others, resolve


def test_generated_secrets_are_the_same_ever_after_and_readable_by_their_owner_only(
    run_dir: Path,
) -> None:
    first = resolve(run_dir, {})
    again = resolve(run_dir, {})

    assert again == first
    assert len(first["CSRF_SECRET"]) >= 32
    assert stat.S_IMODE((run_dir / "secrets.env").stat().st_mode) == 0o600


def test_no_two_secrets_are_the_same(run_dir: Path) -> None:
    settings = resolve(run_dir, {})

    secrets = [value for name, value in settings.values.items() if name.endswith("SECRET")]
    secrets += settings.passwords.values()
    assert len(set(secrets)) == len(secrets)


def test_the_environment_wins_and_is_not_stored(run_dir: Path) -> None:
    given = {"CSRF_SECRET": "from the environment", "IDENTITY_URL": "http://elsewhere:1"}

    assert resolve(run_dir, given)["CSRF_SECRET"] == "from the environment"
    assert resolve(run_dir, given)["IDENTITY_URL"] == "http://elsewhere:1"
    assert "from the environment" not in (run_dir / "secrets.env").read_text()


def test_urls_follow_the_ports(run_dir: Path) -> None:
    settings = resolve(run_dir, {"PORT": "9000", "PG_PORT": "9001"})

    assert settings["PUBLIC_URL"] == settings["JWT_ISSUER"] == "http://localhost:9000"
    assert "@127.0.0.1:9001/" in settings.database_url("booking")


def test_an_empty_variable_counts_as_absent(run_dir: Path) -> None:
    assert resolve(run_dir, {"PORT": ""}).ports["PORT"] == PORTS["PORT"]


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1", "80a"])
def test_what_is_no_port_is_refused_by_name(run_dir: Path, value: str) -> None:
    with pytest.raises(StackError, match=f"PG_PORT={value} is not a port"):
        resolve(run_dir, {"PG_PORT": value})


def test_one_port_for_two_is_refused_by_both_names(run_dir: Path) -> None:
    with pytest.raises(StackError, match="PORT and PG_PORT are both 9000"):
        resolve(run_dir, {"PORT": "9000", "PG_PORT": "9000"})


def test_a_stack_beside_others_gets_ports_of_its_own(run_dir: Path) -> None:
    settings = resolve(run_dir, beside_others({"PORT": "8080", "PUBLIC_URL": "http://production"}))

    assert len(set(settings.ports.values())) == len(PORTS)
    assert not set(settings.ports.values()) & set(PORTS.values())
    assert settings["PUBLIC_URL"] == f"http://localhost:{settings['PORT']}"

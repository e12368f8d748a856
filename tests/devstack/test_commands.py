"""What the Makefile calls, as far as it can be seen without starting everything."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.settings import CHECKOUT, ROLES, beside_others, resolve, write_values


def devstack(run_dir: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "devstack", *words],
        env=beside_others(os.environ) | environment | {"RUN_DIR": str(run_dir)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "words",
    [
        ["ps"],
        ["db-url"],
        ["psql"],
        ["seed"],
        ["cli", "migrate"],
        ["exec", "true"],
        ["erasure-scan"],
        ["backup"],
    ],
)
def test_what_needs_a_running_stack_says_so_in_one_line(run_dir: Path, words: list[str]) -> None:
    done = devstack(run_dir, *words)

    assert done.returncode == 1
    assert done.stderr == ("devstack: Comedy Connect does not run here: start it with `make run`\n")


def test_a_taken_port_stops_the_start_before_anything_is_made(run_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = devstack(run_dir, "run", CATALOG_PORT=str(port))

    assert done.returncode == 1
    assert done.stderr.startswith(f"devstack: port {port} is taken")
    assert done.stderr.endswith("choose another with CATALOG_PORT=<port>\n")
    assert done.stderr.count("\n") == 1
    assert not (run_dir / "postgres/data").exists()


def test_a_migration_without_postgres_says_so_in_one_line(run_dir: Path) -> None:
    port = resolve(run_dir, {"PG_PORT": "15999"})["PG_PORT"]
    done = devstack(run_dir, "cli", "migrate", PG_PORT=port)

    assert done.returncode == 1
    assert "Postgres does not answer at port 15999: `make run` starts it" in done.stderr


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_a_url(run_dir: Path, role: str) -> None:
    password = resolve(run_dir, {}).password(role)

    printed = devstack(run_dir, "db-url", "--role", role, PG_PORT="15998").stdout

    assert printed == f"postgresql://{role}:{password}@127.0.0.1:15998/comedy_connect\n"


def test_reset_removes_a_folder_of_ours_only(run_dir: Path) -> None:
    (run_dir / "thesis.tex").touch()

    assert devstack(run_dir, "reset").stdout == "there is nothing to remove\n"
    assert (run_dir / "thesis.tex").exists()


def test_what_a_killed_run_left_is_gone_after_stop(run_dir: Path) -> None:
    (run_dir / "lock").touch()
    write_values(run_dir / "running.env", resolve(run_dir, {"PG_PORT": "15997"}).values)
    assert "was killed" in devstack(run_dir, "ps").stderr

    assert devstack(run_dir, "stop").stdout == "nothing was running\n"

    assert devstack(run_dir, "ps").stderr == (
        "devstack: Comedy Connect does not run here: start it with `make run`\n"
    )


def test_help_lists_every_target() -> None:
    make = ["make", "--no-print-directory", "-C", str(CHECKOUT)]
    listed = subprocess.run([*make, "help"], capture_output=True, text=True, check=True).stdout

    targets = ("run", "stop", "reset", "ps", "db-url", "demo", "cli", "test", "migrate", "openapi")
    for target in targets:
        assert f"\n  {target} " in listed

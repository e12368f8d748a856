"""A stack as tests use it: thrown away, copied, with more processes than its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from devstack.ports import free_ports
from devstack.settings import PORTS
from devstack.stack import Stack
from devstack.supervision import Process, pid_of
from devstack.testing import eventually


@pytest.fixture
def stack(run_dir: Path) -> Stack:
    return Stack(run_dir, free_ports(PORTS), throwaway=True)


@contextmanager
def database_of(stack: Stack) -> Iterator[None]:
    try:
        stack.start_database()
        yield
    finally:
        stack.stop()


def test_with_a_stack_ends_what_was_started_beside_its_own_processes(
    stack: Stack, run_dir: Path
) -> None:
    with database_of(stack):
        guest = Process("guest", ["sleep", "60"], cwd=run_dir, env={}, port=0)
        stack.supervisor.start(guest)
        eventually(lambda: pid_of(run_dir, "guest") is not None)
        pid = stack.pid("guest")

    assert not psutil.pid_exists(pid)


def test_a_copy_begins_with_the_data_and_the_secrets_that_were_saved(
    stack: Stack, tmp_path: Path
) -> None:
    saved = tmp_path / "saved"
    with database_of(stack):
        with psycopg.connect(stack.db_url()) as database:
            database.execute("CREATE TABLE note AS SELECT 'kept' AS text")
        stack.save(saved)

    copy = Stack(tmp_path / "copy", free_ports(PORTS), copy_of=saved)
    with database_of(copy), psycopg.connect(copy.db_url()) as database:
        assert database.execute("SELECT text FROM note").fetchone() == ("kept",)
    assert copy.settings["ERASURE_KEY"] == stack.settings["ERASURE_KEY"]

"""Bringing a stack back to a backup, and its services to agree with each other again."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg

from devstack.errors import StackError
from devstack.processes import inherited
from devstack.settings import SERVICES, SERVICES_WITH_WORKER, Settings
from devstack.stack import Stack

GATEWAY = "gateway"  # nobody comes in before the services agree

# In this order: offers are told as they are once the shows of deleted people are gone.
RECONCILING = (
    ("identity", "seed-clients"),
    ("identity", "replay-deletions"),
    ("identity", "send-standings"),
    ("catalog", "send-offers"),
)

_WORK_SECONDS = 180.0
_OPEN_DELETIONS = (
    "SELECT FROM identity.account_deletion WHERE state NOT IN ('REFUSED', 'COMPLETED')"
)
_OPEN_WORK = (
    "SELECT FROM {service}_workflows.workflow_status WHERE status IN ('ENQUEUED', 'PENDING')"
)


def restore(stack: Stack, backup: Path, *, service: str | None, replace: bool) -> None:
    """Bring one service or all of a stack back to a backup; everything but the gateway runs then.

    Args:
        stack: its database runs, and nothing else.
        backup: the folder.
        service: None for all.
        replace: whether data that is there may be lost.

    Raises:
        StackError: it was not restored, or what makes the services agree failed.
    """
    _load(stack, backup, service, replace=replace)
    stack.accept_restored_data()
    try:
        stack.start_processes(without={GATEWAY})
        for command in RECONCILING:
            print(stack.run_command(*command), end="", flush=True)
            _wait_for_work(stack)
        _check_invariants(stack)
    except StackError as error:
        raise StackError(
            f"the data is restored, but the services do not agree yet: {error}\n"
            "what to do is in docs/operations.md#restore"
        ) from error


def backup_environment(
    settings: Settings, environment: Mapping[str, str], pg_bin: Path
) -> dict[str, str]:
    """Return what `python -m backup` is told of a stack."""
    urls = {
        name: settings[name]
        for name in (f"{service.upper()}_MIGRATION_DATABASE_URL" for service in SERVICES)
    }
    media = {"MEDIA_DIR": settings["MEDIA_DIR"]} if settings["MEDIA_STORAGE"] == "local" else {}
    return {**inherited(settings, environment), **urls, **media, "PG_BIN": str(pg_bin)}


def _load(stack: Stack, backup: Path, service: str | None, *, replace: bool) -> None:
    words = [
        *("restore", str(backup)),
        *(["--service", service] if service else []),
        *(["--replace"] if replace else []),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "backup", *words],
        env=backup_environment(stack.settings, stack.environment, stack.pg_bin),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StackError(done.stderr.removeprefix("backup: ").strip())


def _wait_for_work(stack: Stack) -> None:
    """Wait until what was begun is done, or tell that it goes on once the stack runs."""
    looks = [
        _OPEN_DELETIONS,
        *(_OPEN_WORK.format(service=service) for service in SERVICES_WITH_WORKER),
    ]
    deadline = time.monotonic() + _WORK_SECONDS
    with psycopg.connect(stack.db_url("auditor"), autocommit=True) as database:
        while left := sum(database.execute(look).rowcount for look in looks):
            if time.monotonic() > deadline:
                print(f"{left} pieces of durable work go on when the stack runs", flush=True)
                return
            stack.supervisor.pause(0.1)


def _check_invariants(stack: Stack) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_invariants"],
        env={**stack.environment, "DATABASE_URL": stack.db_url("auditor")},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StackError(f"invariants are violated\n{done.stdout}")
    print(done.stdout.splitlines()[-1], flush=True)

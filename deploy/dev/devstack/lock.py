"""One stack per folder: the lock that its runner holds for as long as it lives."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.errors import StackError
from devstack.settings import JOURNAL_FOLDER, SECRETS_FILE, read_values

_PROBE_SECONDS = 1.0  # others hold the lock for an instant when they ask who runs


@contextmanager
def running(run_dir: Path) -> Iterator[None]:
    """Be the one who runs the stack of this folder; the kernel ends it if we are killed.

    Raises:
        StackError: it runs already, or the folder is somebody's who has nothing to do with us.
    """
    _claim(run_dir)
    with (run_dir / "lock").open("a+") as lock:
        deadline = time.monotonic() + _PROBE_SECONDS
        while not _locked(lock.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise StackError(f"it runs already (pid {runner(run_dir)}); `make stop` stops it")
            time.sleep(0.02)
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def runner(run_dir: Path) -> int | None:
    """Return the pid of whoever runs the stack of this folder now."""
    try:
        with (run_dir / "lock").open() as lock:
            if _locked(lock.fileno(), fcntl.LOCK_SH):
                return None
            return int(lock.read() or 0)
    except FileNotFoundError:
        return None


def _claim(run_dir: Path) -> None:
    """Make the folder, or make sure that it is one of ours: `make reset` removes all of it."""
    try:
        run_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not _is_ours(run_dir):
            raise StackError(
                f"{run_dir} (RUN_DIR) holds other things, which `make reset` would remove; choose "
                f"an empty folder, or one with nothing but {SECRETS_FILE} and {JOURNAL_FOLDER} of "
                "a stack"
            )
        (run_dir / "lock").touch(mode=0o600)
    except OSError as error:
        raise StackError(f"cannot use RUN_DIR={run_dir}: {error.strerror}") from error


def _is_ours(run_dir: Path) -> bool:
    """Tell whether a folder is empty, a stack's, or what one is restored to on a new machine."""
    names = {entry.name for entry in run_dir.iterdir()}
    if not names or "lock" in names:
        return True
    return names <= {SECRETS_FILE, JOURNAL_FOLDER} and "ERASURE_KEY" in read_values(
        run_dir / SECRETS_FILE
    )


def _locked(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

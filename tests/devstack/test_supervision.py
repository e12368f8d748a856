"""With small real processes: what is started lives, what is stopped leaves nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from devstack.supervision import (
    Process,
    Supervisor,
    log_tail,
    pid_file,
    pid_of,
    stop_leftovers,
    wait_for_end,
)
from devstack.testing import eventually

FORKS = "import os, time; os.fork(); print('up', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(15, signal.SIG_IGN); {FORKS}"


@pytest.fixture
def supervisor(run_dir: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(run_dir)
    yield supervisor
    supervisor.stop(*supervisor.names)


def python(code: str, *, name: str = "dummy") -> Process:
    return Process(name, [sys.executable, "-c", code], Path("/"), dict(os.environ), port=0)


def test_a_killed_process_is_started_again_without_its_old_children(
    supervisor: Supervisor, run_dir: Path
) -> None:
    supervisor.start(python(FORKS))
    eventually(lambda: log_tail(run_dir, "dummy").count("up") == 2)
    first = pid_of(run_dir, "dummy")
    assert first is not None
    child = psutil.Process(first).children()[0]

    os.kill(first, signal.SIGKILL)

    eventually(lambda: pid_of(run_dir, "dummy") not in (None, first))
    assert wait_for_end([child], 0) == []
    assert supervisor.crashes("dummy") == 1
    assert "ended with status -9; starting again" in log_tail(run_dir, "dummy")


def test_no_process_is_started_beside_itself(supervisor: Supervisor, run_dir: Path) -> None:
    supervisor.start(python(FORKS))
    eventually(lambda: log_tail(run_dir, "dummy").count("up") == 2)
    running = pid_of(run_dir, "dummy")

    with pytest.raises(ValueError, match="dummy is kept running already"):
        supervisor.start(python(FORKS))

    assert pid_of(run_dir, "dummy") == running


def test_a_program_that_cannot_start_is_a_crash_with_a_reason(
    supervisor: Supervisor, run_dir: Path
) -> None:
    supervisor.start(Process("missing", ["/no/such/program"], Path("/"), {}, port=0))

    eventually(lambda: supervisor.crashes("missing") >= 2)
    assert "cannot start" in log_tail(run_dir, "missing")


def test_stopping_ends_a_frozen_process_and_removes_its_pid_file(
    supervisor: Supervisor, run_dir: Path
) -> None:
    supervisor.start(python(FORKS))
    eventually(lambda: log_tail(run_dir, "dummy").count("up") == 2)
    pid = pid_of(run_dir, "dummy")
    assert pid is not None
    family = [psutil.Process(pid), *psutil.Process(pid).children()]
    os.killpg(pid, signal.SIGSTOP)

    supervisor.stop("dummy")

    assert wait_for_end(family, 5) == []
    assert not pid_file(run_dir, "dummy").exists()


def test_stopping_kills_what_does_not_listen(run_dir: Path) -> None:
    supervisor = Supervisor(run_dir, stop_seconds=0.3)
    supervisor.start(python(STUBBORN))
    eventually(lambda: log_tail(run_dir, "dummy").count("up") == 2)

    supervisor.stop("dummy")

    assert pid_of(run_dir, "dummy") is None
    assert "did not stop in time" in log_tail(run_dir, "dummy")


def test_killing_asks_nobody_and_leaves_no_child(supervisor: Supervisor, run_dir: Path) -> None:
    supervisor.start(python(STUBBORN))
    eventually(lambda: log_tail(run_dir, "dummy").count("up") == 2)
    leader = psutil.Process(pid_of(run_dir, "dummy"))
    family = [leader, *leader.children()]

    supervisor.kill("dummy")

    assert wait_for_end(family, 5) == []
    assert (pid_of(run_dir, "dummy"), supervisor.names) == (None, frozenset())
    assert "supervisor" not in log_tail(run_dir, "dummy")


def test_what_a_killed_supervisor_left_is_stopped_later(run_dir: Path) -> None:
    killed = "from devstack.supervision import *; import time\n"
    killed += f"s = Supervisor(Path({str(run_dir)!r}))\n"
    killed += (
        f"s.start(Process('dummy', [{sys.executable!r}, '-c', {FORKS!r}], Path('/'), {{}}, 0))\n"
    )
    killed += "time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", killed]) as supervising:
        eventually(lambda: log_tail(run_dir, "dummy").count("up") == 2)
        supervising.kill()
    pid = pid_of(run_dir, "dummy")
    assert pid is not None
    family = [psutil.Process(pid), *psutil.Process(pid).children()]

    assert stop_leftovers(run_dir) == ["dummy"]

    assert wait_for_end(family, 5) == []
    assert stop_leftovers(run_dir) == []


def test_a_stranger_with_the_pid_of_an_old_process_is_left_alone(run_dir: Path) -> None:
    Supervisor(run_dir)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        pid_file(run_dir, "dummy").write_text(f"{stranger.pid}\n")

        assert pid_of(run_dir, "dummy") is None
        assert stop_leftovers(run_dir) == []
        assert stranger.poll() is None
        stranger.kill()

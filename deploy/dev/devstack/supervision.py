"""Processes that are started, kept alive, and stopped without leaving anything behind."""

import os
import pwd
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import psutil

STOP_SECONDS = 15.0  # from asking a process to stop to killing it
_FIRST_DELAY, LONGEST_DELAY = 0.25, 8.0  # seconds before a crashed process starts again
_STEADY_SECONDS = 10.0  # a process that lived so long starts again after the first delay

# Every process of a stack carries this variable, naming the stack's folder, and so do its children:
# that is how leftovers of a stack that was killed are told from strangers that got the same pid.
_MARK = "DEVSTACK_RUN_DIR"


@dataclass(frozen=True, slots=True)
class Process:
    """One program to keep running."""

    name: str
    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    port: int
    health: str = ""  # a URL that answers 200 when the process is ready
    stop_signal: signal.Signals = signal.SIGTERM
    user: str | None = None  # run as this user; for processes started by root


class Cancelled(Exception):
    """Somebody asked the stack to stop while it was starting."""


class Supervisor:
    """Keeps the processes of one stack running.

    The logs of the run before are kept as `<process>.log.1`.
    """

    def __init__(
        self,
        run_dir: Path,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        stop_seconds: float = STOP_SECONDS,
        longest_delay: float = LONGEST_DELAY,
    ) -> None:
        self._run_dir = run_dir
        self._cancelled = cancelled
        self._stop_seconds = stop_seconds
        self._longest_delay = longest_delay
        self._keepers: dict[str, _Keeper] = {}
        for folder in (pid_file(run_dir, ""), log_file(run_dir, "")):
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for log in log_file(run_dir, "").parent.glob("*.log"):
            log.replace(f"{log}.1")

    def start(self, process: Process) -> None:
        """Start a process, and start it again whenever it ends by itself.

        Raises:
            ValueError: it is kept running already; a second one would fight it for its port.
        """
        if process.name in self._keepers:
            raise ValueError(f"{process.name} is kept running already")
        keeper = _Keeper(process, self._run_dir, self._longest_delay)
        self._keepers[process.name] = keeper
        keeper.start()

    def stop(self, *names: str) -> None:
        """Stop these processes, all at once."""
        keepers = [self._keepers.pop(name) for name in names]
        for keeper in keepers:
            keeper.ask_to_stop()
        deadline = time.monotonic() + self._stop_seconds
        for keeper in keepers:
            keeper.wait_until_stopped(deadline)

    def kill(self, *names: str) -> None:
        """Kill these processes for good: nobody needs what they would still do."""
        keepers = [self._keepers.pop(name) for name in names]
        for keeper in keepers:
            keeper.kill()
        for keeper in keepers:
            keeper.join()

    @property
    def names(self) -> frozenset[str]:
        """Names of the processes that are kept running."""
        return frozenset(self._keepers)

    def pause(self, seconds: float = 0.05) -> None:
        """Let some time pass.

        Raises:
            Cancelled: the stack is to stop.
        """
        time.sleep(seconds)
        if self._cancelled():
            raise Cancelled

    def crashes(self, name: str) -> int:
        """Count how often a process ended by itself since it was started."""
        return self._keepers[name].crashes


class _Keeper(threading.Thread):
    """Runs one process again and again until it is asked to stop."""

    def __init__(self, process: Process, run_dir: Path, longest_delay: float) -> None:
        super().__init__(name=f"keeper of {process.name}", daemon=True)
        self.crashes = 0
        self._process = process
        self._run_dir = run_dir
        self._longest_delay = longest_delay
        self._stopping = threading.Event()
        self._spawning = threading.Lock()  # so that a stop never misses a process just being made
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        delay = _FIRST_DELAY
        while not self._stopping.is_set():
            began = time.monotonic()
            outcome = self._run_once()
            if self._stopping.is_set():
                break
            steady = time.monotonic() - began > _STEADY_SECONDS
            delay = _FIRST_DELAY if steady else min(delay * 2, self._longest_delay)
            self._note(f"{outcome}; starting again in {delay} s")
            self.crashes += 1  # whoever sees it finds the reason in the log
            self._stopping.wait(delay)
        pid_file(self._run_dir, self._process.name).unlink(missing_ok=True)

    def _run_once(self) -> str:
        """Run the process to its end and tell what that was."""
        try:
            child = self._spawn()
        except OSError as error:
            return f"cannot start: {error}"
        if child is None:
            return "not started"
        status = child.wait()
        self._child = None
        _kill_group(child.pid)
        return f"ended with status {status}"

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        with self._spawning, log_file(self._run_dir, self._process.name).open("ab") as log:
            if self._stopping.is_set():
                return None
            self._child = child = subprocess.Popen(
                self._process.argv,
                cwd=self._process.cwd,
                env={**self._process.env, _MARK: str(self._run_dir)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us; we stop them in order
                **as_user(self._process.user),
            )
        pid_file(self._run_dir, self._process.name).write_text(f"{child.pid}\n")
        return child

    def ask_to_stop(self) -> None:
        """Have the process stop by itself."""
        with self._spawning:
            self._stopping.set()
            if (child := self._child) is not None:
                child.send_signal(self._process.stop_signal)
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.pid, signal.SIGCONT)  # one that is frozen would not hear

    def kill(self) -> None:
        """End the process and all of its group."""
        with self._spawning:
            self._stopping.set()
            if (child := self._child) is not None:
                _kill_group(child.pid)

    def wait_until_stopped(self, deadline: float) -> None:
        """Wait for the end of the process and kill it if that takes until the deadline."""
        self.join(max(0.0, deadline - time.monotonic()))
        if self.is_alive() and (child := self._child) is not None:
            self._note("did not stop in time and is killed")
            _kill_group(child.pid)
            self.join()

    def _note(self, text: str) -> None:
        moment = time.strftime("%Y-%m-%d %H:%M:%S")
        with log_file(self._run_dir, self._process.name).open("a") as log:
            log.write(f"--- {moment} supervisor: {self._process.name} {text}\n")


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def as_user(name: str | None) -> _Identity:
    """Return the arguments that make `subprocess` run something as this user and nothing else."""
    if name is None:
        return {}
    account = pwd.getpwnam(name)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _kill_group(leader: int) -> None:
    """Kill what is left of a process's group, e.g. gunicorn workers that hold its port."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def log_file(run_dir: Path, name: str) -> Path:
    """Return where the output of a process goes."""
    return run_dir / "logs" / f"{name}.log"


def log_tail(run_dir: Path, name: str, *, lines: int = 15) -> str:
    """Return the last lines of a process's log."""
    file = log_file(run_dir, name)
    text = file.read_text(errors="replace") if file.exists() else ""
    return "\n".join(text.splitlines()[-lines:])


def pid_file(run_dir: Path, name: str) -> Path:
    """Return the file that holds the pid of a process while it runs."""
    return run_dir / "pids" / f"{name}.pid"


def pid_of(run_dir: Path, name: str) -> int | None:
    """Return the pid of a running process of this stack."""
    try:
        pid = int(pid_file(run_dir, name).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return pid if psutil.pid_exists(pid) and _belongs(psutil.Process(pid), run_dir) else None


def stop_leftovers(run_dir: Path) -> list[str]:
    """Stop what an earlier stack in this folder left running when it was killed; return names.

    Pid files tell that there may be something; the mark in each process's environment tells what,
    children of a dead parent included.
    """
    pid_files = list((run_dir / "pids").glob("*.pid"))
    if not pid_files:
        return []
    found = [process for process in psutil.process_iter() if _belongs(process, run_dir)]
    names = sorted(file.stem for file in pid_files if pid_of(run_dir, file.stem))
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
    for process in wait_for_end(found, STOP_SECONDS):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    wait_for_end(found, STOP_SECONDS)
    for file in pid_files:
        file.unlink()
    return names


def wait_for_end(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until these have ended, if only as zombies; return those that go on."""
    deadline = time.monotonic() + seconds
    going_on = [process for process in processes if _goes_on(process)]
    while going_on and time.monotonic() < deadline:
        time.sleep(0.01)
        going_on = [process for process in going_on if _goes_on(process)]
    return going_on


def _goes_on(process: psutil.Process) -> bool:
    try:
        goes_on: bool = process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    return goes_on


def _belongs(process: psutil.Process, run_dir: Path) -> bool:
    try:
        return _goes_on(process) and process.environ().get(_MARK) == str(run_dir)
    except (psutil.Error, OSError):  # gone meanwhile, or another user's
        return False

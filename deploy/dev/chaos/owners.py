"""Which process of a stack is at the other end of a connection."""

import os
import re
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from chaos.faults import Owner
from devstack.supervision import pid_of

_REPLICA = re.compile(r"-\d+$")
_TABLE = Path("/proc/net/tcp")  # of Linux; elsewhere psutil knows, more slowly
_GLANCES, _GLANCE_EVERY_SECONDS = 20, 0.01
_LOOKS = 2  # at processes, which come and go as well


class Owners:
    """Finds processes of the stack in one folder, never others. Thread-safe.

    Replicas, such as `identity-worker-2`, go by one name: which of them commits is chance.
    """

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._lock = threading.Lock()
        self._known: list[Owner] = []

    def of(self, port: int, to: int) -> Owner | None:
        """Return who connects from one local port to another; `None` if nobody of ours."""
        with self._lock:
            for _ in range(_LOOKS):
                owner = _find(port, to, self._known)
                if owner is not None:
                    return owner
                self._known = self._look_around()
        return None

    def _look_around(self) -> list[Owner]:
        """Return all processes that the stack keeps running, and their children."""
        names = {
            pid: _REPLICA.sub("", file.stem)
            for file in (self._run_dir / "pids").glob("*.pid")
            if (pid := pid_of(self._run_dir, file.stem)) is not None
        }
        parents: dict[int, int] = {}
        for process in psutil.process_iter(["ppid"]):
            parents[process.pid] = process.info["ppid"]
        found = []
        for pid in parents:
            leader = _leader(pid, names, parents)
            with suppress(psutil.Error):
                if leader is not None:
                    found.append(Owner(names[leader], psutil.Process(pid)))
        return found


def _leader(pid: int | None, leaders: Mapping[int, str], parents: Mapping[int, int]) -> int | None:
    """Return the process itself or its nearest ancestor among the leaders."""
    while pid and pid not in leaders:
        pid = parents.get(pid)
    return pid or None


def _find(port: int, to: int, candidates: list[Owner]) -> Owner | None:
    if not _TABLE.exists():
        return next((owner for owner in candidates if _connects(port, to, owner)), None)
    socket = _socket(port, to)
    return next((owner for owner in candidates if socket and _holds(socket, owner)), None)


def _socket(port: int, to: int) -> str:
    """Return what a process has open if it connects like this; empty if nobody does."""
    line = re.compile(rf":{port:04X} [0-9A-F]+:{to:04X} 01 .*")
    for _ in range(_GLANCES):  # the kernel may leave lines out while others come and go
        entry = line.search(_TABLE.read_text())
        if entry is not None:
            return f"socket:[{entry[0].split()[8]}]"
        time.sleep(_GLANCE_EVERY_SECONDS)
    return ""


def _holds(socket: str, owner: Owner) -> bool:
    folder = f"/proc/{owner.process.pid}/fd"
    try:
        return any(_target(f"{folder}/{number}") == socket for number in os.listdir(folder))
    except OSError:  # it has ended
        return False


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:  # closed meanwhile
        return ""


def _connects(port: int, to: int, owner: Owner) -> bool:
    try:
        connections = owner.process.net_connections("tcp")
    except psutil.Error:
        return False
    return any(
        bool(each.raddr) and (each.laddr.port, each.raddr.port) == (port, to)
        for each in connections
    )

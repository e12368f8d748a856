"""What is to go wrong, and when: commits are named and numbered so that each can be met again."""

import threading
import time
from collections import Counter
from dataclasses import dataclass
from enum import Enum

import psutil


class Side(Enum):
    """Of a commit: the database has not heard of it, or nobody has heard that it took place."""

    BEFORE = "before"
    AFTER = "after"


class Deed(Enum):
    """What happens at a commit."""

    KILL = "kill"  # -9, the process that commits
    CUT = "cut"  # its connection ends, without an answer
    DELAY = "delay"
    FREEZE = "freeze"  # SIGSTOP, until `Faults.thaw`


@dataclass(frozen=True, slots=True, order=True)
class CommitPoint:
    """One commit of a run, named independently of what else goes on meanwhile."""

    process: str  # as the stack calls it; all workers of a web server are one
    label: str  # what the transaction wrote first
    number: int  # the how-manieth of these commits

    def __str__(self) -> str:
        return f"{self.process}: {self.label} #{self.number}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at a commit."""

    point: CommitPoint
    side: Side
    deed: Deed = Deed.KILL
    seconds: float = 0.0  # of a delay

    def __str__(self) -> str:
        return f"{self.deed.value} {self.side.value} {self.point}"


@dataclass(frozen=True, slots=True)
class Owner:
    """The process at the other end of a connection."""

    name: str
    process: psutil.Process

    def kill(self) -> None:
        """Kill it at once; psutil makes sure that it is still the same process."""
        self.process.kill()

    def freeze(self) -> None:
        """Stop it until it is thawed."""
        self.process.suspend()

    def thaw(self) -> None:
        """Let it go on."""
        self.process.resume()


class Faults:
    """Counts commits and says which of them is struck. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._commits: list[CommitPoint] = []
        self._armed: Fault | None = None
        self._frozen: Owner | None = None
        self.struck = threading.Event()
        self.struck_at = 0.0  # by `time.monotonic`
        self.thawed = threading.Event()

    def begin(self, fault: Fault | None = None) -> None:
        """Count from the beginning, and have this go wrong, once."""
        with self._lock:
            self._counts.clear()
            self._commits = []
            self._armed = fault
            self.struck.clear()
            self.struck_at = 0.0
            self.thawed.clear()

    def commits(self) -> list[CommitPoint]:
        """Return the commits since `begin`, in order."""
        with self._lock:
            return list(self._commits)

    def judge(self, process: str, label: str) -> Fault | None:
        """Count a commit that is about to happen; return what is to go wrong with it."""
        with self._lock:
            self._counts[process, label] += 1
            point = CommitPoint(process, label, self._counts[process, label])
            self._commits.append(point)
            if self._armed is None or self._armed.point != point:
                return None
            fault, self._armed = self._armed, None
            return fault

    def strike(self) -> None:
        """Note that it has gone wrong."""
        self.struck_at = time.monotonic()
        self.struck.set()

    def freeze(self, owner: Owner) -> None:
        """Freeze a process until `thaw`."""
        with self._lock:
            owner.freeze()
            self._frozen = owner

    def thaw(self) -> None:
        """Let a frozen process go on, if there is one."""
        with self._lock:
            if self._frozen:
                self._frozen.thaw()
            self._frozen = None
        self.thawed.set()

"""Processor time that processes have used, with their children."""

from collections.abc import Iterable
from contextlib import suppress

import psutil


class Meter:
    """Reads the processor time of some processes and of the children they had when it was made.

    Children are looked up once, because that takes long; what those that have ended since had used
    is part of their parent's account.
    """

    def __init__(self, pids: Iterable[int]) -> None:
        self._leaders = [psutil.Process(pid) for pid in pids]
        self._children = [
            child for leader in self._leaders for child in leader.children(recursive=True)
        ]

    def seconds(self) -> float:
        """Return the processor time used so far."""
        total = 0.0
        for leader in self._leaders:
            used = leader.cpu_times()
            total += used.user + used.system
            total += getattr(used, "children_user", 0.0) + getattr(used, "children_system", 0.0)
        for child in self._children:
            with suppress(psutil.NoSuchProcess):
                used = child.cpu_times()
                total += used.user + used.system
        return total

"""Memory that the processes of the services hold."""

from contextlib import suppress

import psutil

from bench.stage import Stage
from bench.targets import Verdict

_MEBIBYTE = 2**20
_IDLE, _LOADED = 120, 180
_PROCESSES = (
    *("identity", "catalog", "booking", "config"),
    *("identity-worker", "catalog-worker", "booking-worker"),
)


class Memory:
    """The largest process of each service, idle when this is made and under load later.

    What the processes of a web server share is counted for each of them.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._idle = {name: self._largest(name) for name in _PROCESSES}
        self._loaded: dict[str, int] = {}

    def look(self) -> None:
        """See what they hold after some load."""
        for name in _PROCESSES:
            self._loaded[name] = max(self._loaded.get(name, 0), self._largest(name))

    def verdicts(self) -> list[Verdict]:
        """Judge each service."""
        return [_judge(name, "idle", self._idle[name], _IDLE) for name in _PROCESSES] + [
            _judge(name, "under load", self._loaded[name], _LOADED) for name in self._loaded
        ]

    def _largest(self, name: str) -> int:
        leader = psutil.Process(self._stage.stack.pid(name))
        sizes = [0]
        for process in (leader, *leader.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                sizes.append(process.memory_info().rss)
        return max(sizes)


def _judge(name: str, when: str, size: int, most: int) -> Verdict:
    held = size / _MEBIBYTE
    return Verdict(f"memory of {name}, {when}", held, "MB each", f"≤ {most}", held <= most)

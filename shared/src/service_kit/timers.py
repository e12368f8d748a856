"""Work on a timer inside a worker process: plain code that needs no durability."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from prometheus_client import Counter
from sqlalchemy.exc import OperationalError

from service_kit import tracing
from service_kit.peers import PeerUnavailable

log = structlog.get_logger(__name__)

EXPECTED = (PeerUnavailable, OperationalError)  # something else is away: no stack trace needed

RUNS = Counter("timer_runs_total", "Runs of periodic work, by outcome.", ["task", "outcome"])


@dataclass(frozen=True, slots=True)
class Periodic:
    """A task and the seconds between the end of one run and the start of the next."""

    name: str
    every_seconds: float
    run: Callable[[], object]


class Timers:
    """Runs each task on a thread of its own; a failed run is logged and tried again next time."""

    def __init__(self, tasks: list[Periodic]) -> None:
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._loop, args=(task,), name=task.name) for task in tasks
        ]

    def start(self) -> None:
        """Begin; the first run of each task is at once."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the runs under way and end."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _loop(self, task: Periodic) -> None:
        while True:
            try:
                with tracing.span(f"timer {task.name}"):
                    task.run()
            except Exception as error:
                RUNS.labels(task.name, "failed").inc()
                log.warning(
                    "periodic task failed",
                    task=task.name,
                    reason=str(error),
                    exc_info=None if isinstance(error, EXPECTED) else error,
                )
            else:
                RUNS.labels(task.name, "ok").inc()
            if self._stopping.wait(task.every_seconds):
                return

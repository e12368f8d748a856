"""What the measurements run against: a stack of their own, and the bare hello beside it."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from devstack.errors import StackError
from devstack.health import READY, ask
from devstack.lock import running
from devstack.ports import LOOPBACK, free_ports
from devstack.processes import inherited
from devstack.reach import remove_cluster
from devstack.settings import CHECKOUT, beside_others
from devstack.stack import Stack
from devstack.supervision import Process, log_tail, stop_leftovers

HELLO = "hello"
_HELLO_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A running stack with the yardstick beside it."""

    stack: Stack
    hello_port: int

    def port(self, name: str) -> int:
        """Return where a service, the gateway or the yardstick listens."""
        if name == HELLO:
            return self.hello_port
        if name == "gateway":
            return self.stack.settings.ports["PORT"]
        return self.stack.settings.ports[f"{name.upper()}_PORT"]

    @property
    def public_host(self) -> str:
        """The host and port that browsers name."""
        return urlsplit(self.stack.url).netloc


@contextmanager
def stage(run_dir: Path, report: Callable[[str, str], None]) -> Iterator[Stage]:
    """Run a stack that keeps what it confirms (fsync), empty but for the seed, and remove it after.

    Its logs stay if the measurements fail.

    Raises:
        StackError: something is in the way or does not start.
    """
    folder = run_dir / "bench"
    with running(folder):
        stop_leftovers(folder)
        remove_cluster(folder)
    environment = {**beside_others(os.environ), "RATE_LIMIT_TIMES": str(10**6)}
    try:
        with (
            Stack(folder, environment, report=report) as stack,
            _hello(stack, environment) as port,
        ):
            yield Stage(stack, port)
    finally:
        remove_cluster(folder)
    shutil.rmtree(folder)


@contextmanager
def _hello(stack: Stack, environment: dict[str, str]) -> Iterator[int]:
    """Serve the yardstick as the services are served."""
    port = free_ports([HELLO])[HELLO]
    health = f"http://{LOOPBACK}:{port}/"
    configuration = str(CHECKOUT / "deploy/gunicorn.conf.py")
    process = Process(
        name=HELLO,
        argv=[sys.executable, "-m", "gunicorn", "-c", configuration, "bench.hello:app"],
        cwd=CHECKOUT,
        env={**inherited(stack.settings, environment), "PORT": port, "DRAIN_SECONDS": "0"},
        port=int(port),
        health=health,
    )
    stack.supervisor.start(process)
    try:
        deadline = time.monotonic() + _HELLO_SECONDS
        while ask(health) != READY:
            if time.monotonic() > deadline:
                raise StackError(f"the yardstick does not start:\n{log_tail(stack.run_dir, HELLO)}")
            stack.supervisor.pause()
        yield int(port)
    finally:
        stack.supervisor.stop(HELLO)

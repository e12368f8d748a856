"""What Postgres itself does: pgbench with the least that a correct booking has to do."""

import math
import os
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.cpu import Meter
from bench.figures import Slice
from bench.stage import Stage
from devstack.errors import StackError
from devstack.ports import LOOPBACK
from devstack.reach import wheel_binaries

SCRATCH = "bench_scratch"
_HERE = Path(__file__).parent


@contextmanager
def scratch_database(stage: Stage) -> Iterator[str]:
    """Have a database beside the services' one for a while; yield its URL, without password."""
    with psycopg.connect(stage.stack.db_url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {SCRATCH}")
        url = f"postgresql://postgres@{LOOPBACK}:{stage.stack.settings['PG_PORT']}/{SCRATCH}"
        try:
            with psycopg.connect(url, password=stage.stack.settings.password("postgres")) as tables:
                tables.execute((_HERE / "minimal_tables.sql").read_text())
            yield url
        finally:
            connection.execute(f"DROP DATABASE {SCRATCH} WITH (FORCE)")


@dataclass(frozen=True, slots=True)
class Pgbench:
    """Minimal bookings by some clients, spread over some shows."""

    name: str
    connections: int
    shows: int
    stage: Stage
    url: str

    def measure(self, seconds: float) -> Slice:
        """Run pgbench for at least this time, in whole seconds."""
        postgres = Meter([self.stage.stack.pid("postgres")])
        before, own_before = postgres.seconds(), _children_cpu()
        said = self._run(math.ceil(seconds))
        return Slice(
            # The rate is taken from pgbench: the time to connect does not count.
            seconds=_number(r"processed: (\d+)", said) / _number(r"tps = ([\d.]+)", said),
            answered=int(_number(r"processed: (\d+)", said)),
            latencies=(),
            failures=Counter(),
            service_cpu=None,
            postgres_cpu=postgres.seconds() - before,
            generator_cpu=_children_cpu() - own_before,
        )

    def _run(self, seconds: int) -> str:
        done = subprocess.run(
            [
                *(_binary(), "--no-vacuum", "--protocol=prepared", f"--time={seconds}"),
                *(f"--client={self.connections}", f"--define=shows={self.shows}"),
                *("--file", str(_HERE / "minimal_booking.sql"), self.url),
            ],
            cwd=tempfile.gettempdir(),
            env={"PGPASSWORD": self.stage.stack.settings.password("postgres"), "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StackError(f"pgbench failed: {done.stderr.strip()}")
        return done.stdout


def _binary() -> str:
    return str(Path(os.environ.get("PG_BIN") or wheel_binaries()) / "pgbench")


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise StackError(f"pgbench does not tell its rate: {text}")
    return float(found[1])


def _children_cpu() -> float:
    times = os.times()
    return times.children_user + times.children_system

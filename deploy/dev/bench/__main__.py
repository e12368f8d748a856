"""`make bench`: measure, check that nothing was lost, print a table, and write bench.json.

`BENCH_SECONDS` is how long each figure is measured, in rounds between which all others have their
turn: what slows the machine down for a moment does not hit one figure alone. With `BENCH_STORED=1`
a million bookings are stored then, and some of it is measured once more.
"""

import json
import math
import os
import platform
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bench.audience import Audience
from bench.bookkeeping import checks
from bench.box_office import BoxOffice, fill_discovery, first_shown
from bench.figures import Figure
from bench.memory import Memory
from bench.orders import Exhausted
from bench.programme import Ledger, Measurement, again_with_stored, programme
from bench.report import LEGEND, document, table
from bench.stage import Stage, stage
from bench.stored import store
from bench.targets import STORED_TARGETS, TARGETS, verdicts
from devstack.errors import StackError
from devstack.settings import CHECKOUT
from devstack.visitor import SignInFailed

_DEFAULT_SECONDS = "2"
_FEWEST_ROUNDS = 3
_LONGEST_SLICE = 10.0  # seconds; the buyers' tokens have to outlive it


def main() -> int:
    """Measure everything once; status 1 if it cannot be done or bookings were lost."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        seconds = _seconds()
        run_dir = _run_dir()
        with stage(run_dir, _say) as running:
            return _perform(running, seconds, run_dir / "bench.json")
    except (StackError, SignInFailed, Exhausted, OSError) as error:
        print(f"bench: {error or type(error).__name__}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _perform(running: Stage, seconds: float, target: Path) -> int:
    fill_discovery(running)
    audience, box_office, ledger = Audience(running), BoxOffice(running), Ledger()
    _say("stage", "shows are published, buyers are signed in")
    memory, targets = Memory(running), TARGETS
    with programme(running, audience, box_office, ledger) as measurements:
        figures = _in_rounds(measurements, seconds, memory)
        if os.environ.get("BENCH_STORED"):
            stored = store(running, first_shown(running))
            _say("stage", f"{stored:,} bookings are stored")
            figures += _in_rounds(again_with_stored(measurements, running), seconds, memory)
            targets += STORED_TARGETS
    found = checks(running.stack.db_url("auditor"), ledger, box_office.show_ids)
    judged = verdicts({figure.key: figure for figure in figures}, targets) + memory.verdicts()
    print(f"\n{table(figures, judged)}\n\n{LEGEND}\n")
    for check in found:
        print(f"{'holds' if check.holds else 'VIOLATED':<9} {check.statement}")
    target.write_text(json.dumps(document(figures, judged, found, _about(seconds)), indent=2))
    print(f"\nwritten to {target}")
    return 0 if all(check.holds for check in found) else 1


def _in_rounds(measurements: Sequence[Measurement], seconds: float, memory: Memory) -> list[Figure]:
    rounds = max(_FEWEST_ROUNDS, math.ceil(seconds / _LONGEST_SLICE))
    figures = [Figure(each.name, each.connections) for each in measurements]
    for number in range(1, rounds + 1):
        began = time.monotonic()
        for figure, measurement in zip(figures, measurements, strict=True):
            figure.slices.append(measurement.measure(seconds / rounds))
        memory.look()
        _say(f"round {number}/{rounds}", f"{time.monotonic() - began:.0f} s")
    return figures


def _seconds() -> float:
    given = os.environ.get("BENCH_SECONDS") or _DEFAULT_SECONDS
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise StackError(f"BENCH_SECONDS={given} is not a number of seconds")
    return seconds


def _run_dir() -> Path:
    """Return RUN_DIR; a new one is marked as ours, so that `make run` can use it as well.

    Raises:
        StackError: it holds other things.
    """
    run_dir = Path(os.environ.get("RUN_DIR") or CHECKOUT / ".run").resolve()
    run_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
    mark = run_dir / "lock"
    if any(run_dir.iterdir()) and not mark.exists():
        raise StackError(f"RUN_DIR={run_dir} holds other things; choose an empty folder")
    mark.touch(mode=0o600)
    return run_dir


def _about(seconds: float) -> dict[str, Any]:
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds_per_figure": seconds,
        "machine": {
            "processors": os.cpu_count(),
            "memory_bytes": psutil.virtual_memory().total,
            "system": platform.platform(),
            "python": platform.python_version(),
        },
    }


def _say(what: str, outcome: str) -> None:
    print(f"  {what:<16} {outcome}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""`make chaos`: deletions, purchases and cancellations, one thing at a time going wrong.

One of each in which nothing goes wrong is watched first: each of its commits is a place where the
process that makes it will be killed, once before and once after it. `CHAOS_ONLY` is a part of the
names of what shall happen, or several with `|` between them; `CHAOS_SEED` repeats the choices of an
earlier run.
"""

import os
import secrets
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import requests

from chaos.cases import SALES, Case
from chaos.faults import CommitPoint
from chaos.people import House, Unexpected
from chaos.plan import Labels, noise, noise_of_timers, troubles, troubles_of_sales
from chaos.stage import NeverTrue, stage
from chaos.trial import Trouble, Undertaking, Verdict, attempt
from chaos.undertakings import made_ready
from devstack.errors import StackError
from devstack.settings import CHECKOUT
from devstack.visitor import SignInFailed

_AT_ONCE = 4  # creators and buyers who are made ready side by side

# How an attempt went. Missed: it ended as it should, but it never came to what was to go wrong,
# such as the third portion of something that took two this time.
_RIGHT, _WRONG, _MISSED = "right", "WRONG", "missed"


def main() -> int:
    """Try everything; status 1 if something ended otherwise than it should."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbelow(10**6))
    only = os.environ.get("CHAOS_ONLY", "")
    folder = Path(os.environ.get("RUN_DIR") or CHECKOUT / ".run").resolve() / "chaos"
    _say(f"CHAOS_SEED={seed}")
    try:
        with stage(folder, lambda what, outcome: _say(f"{what}: {outcome}")) as running:
            house = House(running)
            wrong = _try_all(house, seed, only)
            house.close()
    except (StackError, SignInFailed, Unexpected, NeverTrue, requests.RequestException) as error:
        print(f"chaos: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if not wrong:
        shutil.rmtree(folder)
    return 1 if wrong else 0


def _try_all(house: House, seed: int, only: str) -> int:
    """Return how many things ended otherwise than they should."""
    wanted = only.split("|")
    planned = [each for each in _plan(house, seed) if any(part in each.name for part in wanted)]
    _say(f"{len(planned)} things to go wrong")
    found = Counter[str]()
    began = time.monotonic()
    for number, (trouble, undertaking) in enumerate(_with_undertakings(house, planned, seed), 1):
        verdict = attempt(house, undertaking, trouble)
        undertaking.close()
        found[_judged(verdict)] += 1
        _report(verdict, f"{number}/{len(planned)}")
    summary = ", ".join(f"{found[judged]} {judged}" for judged in (_RIGHT, _WRONG, _MISSED))
    _say(f"{summary}, {time.monotonic() - began:.0f} s")
    return found[_WRONG]


def _plan(house: House, seed: int) -> list[Trouble]:
    """Watch everything once without trouble; return all that may go wrong with it."""
    house.stage.wait_until_well()
    timers, anyway = noise_of_timers(house), noise(house)
    going, staying = (_watch(house, case, anyway, seed) for case in (Case.GOES, Case.STAYS))
    sales = {case: _watch(house, case, timers, seed) for case in SALES}
    return troubles(going, staying, seed) + troubles_of_sales(sales, seed)


def _watch(house: House, case: Case, anyway: Labels, seed: int) -> list[CommitPoint]:
    """Return the commits of something with which nothing goes wrong.

    Raises:
        Unexpected: it does not end as it should anyway.
    """
    undertaking = made_ready(house, case, f"Watched{seed}{case.name}")
    verdict = attempt(house, undertaking, Trouble(f"{case.value}: nothing", case))
    undertaking.close()
    _report(verdict, "watched")
    if verdict.objections:
        raise Unexpected("it goes wrong all by itself")
    found = [each for each in verdict.commits if (each.process, each.label) not in anyway]
    _say(f"{'':<8} {len(found)} commits")
    return found


def _with_undertakings(
    house: House, planned: Sequence[Trouble], seed: int
) -> Iterator[tuple[Trouble, Undertaking]]:
    """Yield what goes wrong, each with something that is made ready in time."""
    names = map(f"Somebody{seed}n{{}}".format, count(1))

    def ready(trouble: Trouble, name: str) -> Undertaking:
        return made_ready(house, trouble.case, name)

    for start in range(0, len(planned), _AT_ONCE):
        batch = planned[start : start + _AT_ONCE]
        house.stage.wait_until_well()
        with ThreadPoolExecutor(_AT_ONCE) as doors:
            yield from zip(batch, list(doors.map(ready, batch, names)), strict=True)


def _report(verdict: Verdict, place: str) -> None:
    outcome = f"{_judged(verdict):<6} {verdict.state:<11} {verdict.seconds:5.1f} s"
    _say(f"{place:<8} {outcome}  {verdict.trouble.name}")
    for objection in verdict.objections:
        _say(f"{'':<8} {objection}")


def _judged(verdict: Verdict) -> str:
    if verdict.objections:
        return _WRONG
    return _RIGHT if verdict.met else _MISSED


def _say(text: str) -> None:
    print(f"  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

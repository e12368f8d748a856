"""`make chaos`: the deletion of an account with everything going wrong, one thing at a time.

A deletion in which nothing goes wrong is watched first: each of its commits is a place where the
process that makes it will be killed, once before and once after it. `CHAOS_ONLY` is a part of the
names of what shall happen, `CHAOS_SEED` repeats the choices of an earlier run.
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

from chaos.faults import CommitPoint
from chaos.people import Creator, House, Unexpected, creator
from chaos.plan import Labels, noise, troubles
from chaos.stage import NeverTrue, stage
from chaos.trial import Case, Trouble, Verdict, attempt
from devstack.errors import StackError
from devstack.settings import CHECKOUT
from devstack.visitor import SignInFailed

_AT_ONCE = 4  # creators who are made ready side by side

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
    anyway = noise(house)
    going, staying = (_watch(house, case, anyway, seed) for case in (Case.GOES, Case.STAYS))
    planned = [each for each in troubles(going, staying, seed) if only in each.name]
    _say(f"{len(going)} commits of a deletion, {len(staying)} of one that is refused")
    _say(f"{len(planned)} things to go wrong")
    found = Counter[str]()
    began = time.monotonic()
    for number, (trouble, who) in enumerate(_with_creators(house, planned, seed), 1):
        verdict = attempt(house, who, trouble)
        who.visitor.close()
        found[_judged(verdict)] += 1
        _report(verdict, f"{number}/{len(planned)}")
    summary = ", ".join(f"{found[judged]} {judged}" for judged in (_RIGHT, _WRONG, _MISSED))
    _say(f"{summary}, {time.monotonic() - began:.0f} s")
    return found[_WRONG]


def _watch(house: House, case: Case, anyway: Labels, seed: int) -> list[CommitPoint]:
    """Return the commits of a deletion in which nothing goes wrong.

    Raises:
        Unexpected: it does not end as it should anyway.
    """
    who = creator(house, f"Watched{seed}{case.value}", sold=case is Case.STAYS)
    verdict = attempt(house, who, Trouble(f"{case.value}: nothing", case))
    _report(verdict, "watched")
    if verdict.objections:
        raise Unexpected("a deletion goes wrong all by itself")
    return [each for each in verdict.commits if (each.process, each.label) not in anyway]


def _with_creators(
    house: House, planned: Sequence[Trouble], seed: int
) -> Iterator[tuple[Trouble, Creator]]:
    """Yield what goes wrong, each with somebody who is made ready in time."""
    names = map(f"Leaver{seed}n{{}}".format, count(1))

    def ready(trouble: Trouble, name: str) -> Creator:
        return creator(house, name, sold=trouble.case is Case.STAYS)

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

"""All that may go wrong with deletions and sales: found by watching some in which nothing does."""

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from chaos.cases import Case
from chaos.faults import CommitPoint, Deed, Fault, Side
from chaos.peer_proxy import Mishap, PeerFault
from chaos.people import House
from chaos.trial import END_SECONDS, RESUME_SECONDS, Trouble, second_buyer

COMMANDS = (
    ("booking", "fence"),
    ("catalog", "fence"),
    ("booking", "purge"),
    ("catalog", "purge"),
    ("config", "purge"),
)
WORKER = "identity-worker"

_QUIET_SECONDS = 12.0  # in which every timer has had its turn
_PATIENCE_SECONDS = 120.0  # of identity with a service that does not answer a fence
_FOR_EVER = 1_000_000
_TWICE = 2  # a client repeats a call by itself once; then the step has failed
_RACES = 6
_SAMPLE = 4  # of commits, for what takes long or does not depend on the commit
_OF_SALES = 2  # the same, of each kind of sale
_REPETITIONS = 2  # of a commit that sales make for each webhook, refund and booking

Labels = frozenset[tuple[str, str]]


def noise(house: House) -> Labels:
    """Return which commits take place anyway while somebody buys: process and label."""
    with second_buyer(house) as buyer:
        buyer.begin()
        return noise_of_timers(house)


def noise_of_timers(house: House) -> Labels:
    """Return which commits take place though nobody wants anything: process and label."""
    house.stage.commits.begin()
    time.sleep(_QUIET_SECONDS)
    seen = house.stage.commits.commits()
    return frozenset((each.process, each.label) for each in seen)


def troubles(
    going: Sequence[CommitPoint], staying: Sequence[CommitPoint], seed: int
) -> list[Trouble]:
    """Return everything that may go wrong, in an order that the seed decides.

    Args:
        going: the commits of a deletion that is completed.
        staying: those of one that is refused.
        seed: chooses samples of what takes long, and the order.
    """
    choice = random.Random(seed)  # noqa: S311 - nobody is to be kept from guessing
    steps = [point for point in going if point.process == WORKER]
    found = [
        *_kills(Case.GOES, going),
        *_kills(Case.STAYS, staying),
        *_lost_calls(),
        *(Trouble(f"races: {number}", Case.RACES) for number in range(1, _RACES + 1)),
        *_with_two_workers(choice.sample(steps, min(2 * _SAMPLE, len(steps)))),
        *_frozen(choice.sample(steps, min(_SAMPLE, len(steps)))),
        *_without_database(Case.GOES, choice.sample(going, min(_SAMPLE, len(going)))),
    ]
    choice.shuffle(found)
    return found


def troubles_of_sales(watched: Mapping[Case, Sequence[CommitPoint]], seed: int) -> list[Trouble]:
    """Return everything that may go wrong with sales, in an order that the seed decides.

    Args:
        watched: the commits of each kind of sale.
        seed: chooses samples of what is like a kill, and the order.
    """
    choice = random.Random(seed)  # noqa: S311 - nobody is to be kept from guessing
    found: list[Trouble] = []
    for case, points in watched.items():
        struck = [point for point in points if point.number <= _REPETITIONS]
        sample = choice.sample(struck, min(2 * _OF_SALES, len(struck)))
        found += [
            *_kills(case, struck),
            *_lost_replies(case, sample[:_OF_SALES]),
            *_without_database(case, sample[_OF_SALES:]),
        ]
    choice.shuffle(found)
    return [replace(trouble, seconds=RESUME_SECONDS) for trouble in found]


def _kills(case: Case, points: Iterable[CommitPoint]) -> Iterator[Trouble]:
    """Yield the death of the process that commits, before and after each commit."""
    for point in points:
        for side in Side:
            fault = Fault(point, side)
            yield Trouble(f"{case.value}: {fault}", case, fault)


def _lost_calls() -> Iterator[Trouble]:
    """Yield every command that does not arrive, and every one that nobody hears the effect of."""
    for callee, command in COMMANDS:
        for mishap in (Mishap.CUT, Mishap.LOSE_REPLY):
            call = PeerFault(_requests(command), mishap, times=_TWICE)
            name = f"goes: {mishap.value} of {callee}'s {command}"
            yield Trouble(name, callee=callee, call=call)
    for mishap in (Mishap.CUT, Mishap.LOSE_REPLY):
        call = PeerFault(_requests("lift"), mishap, times=_TWICE)
        name = f"stays: {mishap.value} of booking's lift"
        yield Trouble(name, Case.STAYS, callee="booking", call=call)
        call = PeerFault(_requests("fence"), mishap, times=_FOR_EVER)
        yield Trouble(
            f"waits: {mishap.value} of catalog's fence for ever",
            Case.WAITS,
            callee="catalog",
            call=call,
            seconds=_PATIENCE_SECONDS + END_SECONDS,
        )


def _with_two_workers(points: Iterable[CommitPoint]) -> Iterator[Trouble]:
    for point in points:
        for side in Side:
            fault = Fault(point, side)
            yield Trouble(f"two workers: {fault}", fault=fault, second_worker=True)


def _frozen(points: Iterable[CommitPoint]) -> Iterator[Trouble]:
    """Yield workers that stop in the middle; the other takes over, the first wakes up later."""
    for point in points:
        for side in Side:
            fault = Fault(point, side, Deed.FREEZE)
            yield Trouble(f"two workers: {fault}", fault=fault, second_worker=True)


def _without_database(case: Case, points: Iterable[CommitPoint]) -> Iterator[Trouble]:
    for point in points:
        fault = Fault(point, Side.BEFORE, Deed.DELAY, seconds=1.0)
        name = f"{case.value}: database dies before {point}"
        yield Trouble(name, case, fault, database_dies=True)


def _lost_replies(case: Case, points: Iterable[CommitPoint]) -> Iterator[Trouble]:
    """Yield commits that take place, but whoever makes them does not hear of it and lives on."""
    for point in points:
        fault = Fault(point, Side.AFTER, Deed.CUT)
        yield Trouble(f"{case.value}: {fault}", case, fault)


def _requests(command: str) -> str:
    return rf"POST /internal/deletions/[^/]+/{command}"

"""What the finished system is to reach, as ratios within one run or as limits of one figure.

They are floors for work that is still going on: one that is missed fails nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.figures import Figure, key_of
from bench.names import (
    DISCOVERY,
    DISCOVERY_THROUGH_GATEWAY,
    EXCHANGE,
    HELLO,
    HOT,
    PGBENCH_HOT,
    PGBENCH_SPREAD,
    SHOW,
    SOLD_OUT,
    SPREAD,
    THROUGH_GATEWAY,
    UNCHANGED,
    with_stored,
)

Figures = Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a figure stands against one of its targets."""

    figure: str
    found: float | None  # None: what it compares was not measured
    unit: str
    bound: str
    met: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """The rate of a figure is at least this part of the best of others."""

    figure: str
    part: float
    others: Sequence[str]
    of: str

    def judge(self, figures: Figures) -> Verdict:
        """Compare rates."""
        mine = figures.get(self.figure)
        best = max((figures[key].rate for key in self.others if key in figures), default=0.0)
        found = mine.rate / best if mine and best else None
        met = found is not None and found >= self.part
        return Verdict(self.figure, found, f"x {self.of}", f"≥ {self.part:g}", met)


@dataclass(frozen=True, slots=True)
class Limit:
    """Something about a figure is at most this."""

    figure: str
    most: float
    unit: str
    value: Callable[[Figure], float | None]

    def judge(self, figures: Figures) -> Verdict:
        """Compare with the limit."""
        mine = figures.get(self.figure)
        found = self.value(mine) if mine else None
        met = found is not None and found <= self.most
        return Verdict(self.figure, found, self.unit, f"≤ {self.most:g}", met)


def _tail(figure: Figure) -> float | None:
    p50, p99 = figure.latency_ms(0.50), figure.latency_ms(0.99)
    return p99 / p50 if p50 and p99 else None


_HELLO = key_of(HELLO, 64)
_HOT = key_of(HOT, 64)

TARGETS: tuple[Reach | Limit, ...] = (
    Limit(key_of(HOT, 16), 5, "p99 / p50", _tail),
    Reach(_HOT, 0.5, [key_of(PGBENCH_HOT, 4), key_of(PGBENCH_HOT, 8)], "pgbench, hot row"),
    Reach(_HOT, 0.4, [_HELLO], "hello"),
    Limit(_HOT, 1.2, "ms of the service each", lambda figure: figure.service_ms),
    Limit(_HOT, 0.15, "ms of Postgres each", lambda figure: figure.postgres_ms),
    Reach(key_of(HOT, 256), 0.9, [_HOT], "64 connections"),
    Limit(key_of(HOT, 256), 0, "errors", lambda figure: figure.failures.total()),
    Reach(
        key_of(SPREAD, 64),
        0.25,
        [key_of(PGBENCH_SPREAD, 4), key_of(PGBENCH_SPREAD, 8)],
        "pgbench, 100 rows",
    ),
    Reach(key_of(THROUGH_GATEWAY, 64), 0.4, [_HOT], "straight"),
    Reach(key_of(SOLD_OUT, 64), 0.6, [_HELLO], "hello"),
    Reach(key_of(DISCOVERY, 64), 0.5, [_HELLO], "hello"),
    *(
        Limit(key_of(DISCOVERY, connections), 0, "errors", lambda figure: figure.failures.total())
        for connections in (64, 256)
    ),
    Reach(key_of(SHOW, 64), 0.5, [_HELLO], "hello"),
    Reach(key_of(UNCHANGED, 64), 0.7, [_HELLO], "hello"),
    Reach(key_of(DISCOVERY_THROUGH_GATEWAY, 64), 0.7, [key_of(DISCOVERY, 64)], "straight"),
    Reach(key_of(EXCHANGE, 64), 0.35, [_HELLO], "hello"),
)


STORED_TARGETS: tuple[Reach | Limit, ...] = tuple(
    Reach(key_of(with_stored(name), 64), 0.77, [key_of(name, 64)], "empty")
    for name in (HOT, SPREAD, SOLD_OUT, DISCOVERY, SHOW)
)


def verdicts(figures: Figures, targets: Sequence[Reach | Limit] = TARGETS) -> list[Verdict]:
    """Judge every target."""
    return [target.judge(figures) for target in targets]

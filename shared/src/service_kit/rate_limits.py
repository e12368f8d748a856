"""How often somebody may ask: declared beside the route, counted by all processes together.

Whom a route knows is counted as a person, everybody else by the address that the gateway names.
Services are not counted, nor is whoever asks from inside, past the gateway.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Request
from limits import RateLimitItem, parse_many
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from service_kit.client_address import client_address, names_client
from service_kit.problems import Problem
from service_kit.tokens import AnyCaller, Caller, SuspendedCaller

Route = TypeVar("Route", bound=Callable[..., Any])

_ATTRIBUTE = "__rate__"
_READING = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True, slots=True)
class Rate:
    """How often one route may be asked, such as `60/minute`; without a limit where None.

    An address may be that of a whole campus: its limit is there to stop a program, not a crowd.

    Raises:
        ValueError: that is no limit.
    """

    of_person: str | None = None
    of_address: str | None = None

    def __post_init__(self) -> None:
        for limit in (self.of_person, self.of_address):
            if limit is not None:
                _item(limit, times=1)


@cache
def _item(limit: str, *, times: int) -> RateLimitItem:
    (stated,) = parse_many(limit)
    if not stated.amount:
        raise ValueError(f"{limit} lets nobody ask")
    return type(stated)(stated.amount * times, stated.multiples)


READS = Rate("600/minute", "6000/minute")
"""Holds for a route that says nothing and reads."""

WRITES = Rate("120/minute", "3000/minute")
"""Holds for a route that says nothing and writes."""

CROWD = Rate("600/minute", "60000/minute")
"""For what a crowd behind one address asks for at once, such as parts of every page."""

UNLIMITED = Rate()


def limited(rate: Rate) -> Callable[[Route], Route]:
    """Declare how often the route below may be asked, instead of `READS` or `WRITES`."""

    def declare(route: Route) -> Route:
        setattr(route, _ATTRIBUTE, rate)
        return route

    return declare


def rate_of(route: Callable[..., Any], method: str) -> Rate:
    """Return how often a route may be asked."""
    declared: Rate | None = getattr(route, _ATTRIBUTE, None)
    return declared or usual_rate(method)


def usual_rate(method: str) -> Rate:
    """Return how often a route that says nothing may be asked."""
    return READS if method in _READING else WRITES


class RateLimits:
    """Counts who asks for what, and refuses what is too often. Thread-safe."""

    def __init__(
        self, counts: Storage, *, times: int = 1, clock: Callable[[], float] = time.time
    ) -> None:
        """Prepare for counting.

        Args:
            counts: where it is counted.
            times: all limits are that many times as high, as for load from one address.
            clock: says the seconds since 1970, as that of `counts` does.
        """
        self._counts = FixedWindowRateLimiter(counts)
        self._times = times
        self._clock = clock

    def count(self, asked: Request, route: Callable[..., Any], caller: AnyCaller | None) -> None:
        """Count a request.

        Raises:
            Problem: 429 with `Retry-After`; it was one too many.
        """
        limit, who = _limit_of(asked, rate_of(route, asked.method), caller)
        if limit is None:
            return
        item, endpoint = _item(limit, times=self._times), asked.endpoint or ""
        if not self._counts.hit(item, endpoint, who):
            raise self._refusal(item, endpoint, who)

    def _refusal(self, item: RateLimitItem, *counted: str) -> Problem:
        left = self._counts.get_window_stats(item, *counted).reset_time - self._clock()
        seconds = max(math.ceil(left), 1)
        return Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "RATE_LIMITED",
            f"This was asked for too often. Please try again in {seconds} seconds.",
            headers={"Retry-After": str(seconds)},
        )


def _limit_of(asked: Request, rate: Rate, caller: AnyCaller | None) -> tuple[str | None, str]:
    """Return which limit holds for a request, if any does, and for whom."""
    if isinstance(caller, Caller | SuspendedCaller):
        return rate.of_person, str(caller.id)
    if caller is None and names_client(asked):
        return rate.of_address, client_address(asked)
    return None, ""

"""How often somebody may ask: declared beside the route, counted by all processes together.

People are told apart by who they are, everybody else by the address that the gateway names.
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
from limits import RateLimitItem, parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from service_kit.client_address import client_address, names_client
from service_kit.problems import Problem
from service_kit.tokens import Caller, CallingService

Route = TypeVar("Route", bound=Callable[..., Any])

_ATTRIBUTE = "__rate__"
_READING = {"GET", "HEAD"}


@dataclass(frozen=True, slots=True)
class Rate:
    """How often one route may be asked, such as `60/minute`; without a limit where None.

    An address may be that of a whole campus: its limit is there to stop a program, not a crowd.
    """

    of_person: str | None = None
    of_address: str | None = None


READS = Rate("600/minute", "6000/minute")
"""Holds for a route that says nothing and reads."""

WRITES = Rate("120/minute", "3000/minute")
"""Holds for a route that says nothing and writes."""

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
    return declared or (READS if method in _READING else WRITES)


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

    def count(
        self, asked: Request, route: Callable[..., Any], caller: Caller | CallingService | None
    ) -> None:
        """Count a request.

        Raises:
            Problem: 429 with `Retry-After`; it was one too many.
        """
        if isinstance(caller, CallingService):
            return
        rate = rate_of(route, asked.method)
        if caller is not None:
            limit, who = rate.of_person, str(caller.id)
        elif names_client(asked):
            limit, who = rate.of_address, client_address()
        else:
            return
        if limit is None:
            return
        item = _item(limit, self._times)
        if not self._counts.hit(item, asked.endpoint or "", who):
            raise self._refusal(item, asked.endpoint or "", who)

    def _refusal(self, item: RateLimitItem, *counted: str) -> Problem:
        left = self._counts.get_window_stats(item, *counted).reset_time - self._clock()
        seconds = max(math.ceil(left), 1)
        return Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "RATE_LIMITED",
            f"This was asked for too often. Please try again in {seconds} seconds.",
            headers={"Retry-After": str(seconds)},
        )


@cache
def _item(limit: str, times: int) -> RateLimitItem:
    stated = parse(limit)
    return type(stated)(stated.amount * times, stated.multiples)

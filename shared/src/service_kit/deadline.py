"""How much time the request being served has left, for it and for the calls it makes."""

import time
from contextvars import ContextVar, Token

HEADER = "X-Request-Timeout"  # milliseconds left, relative: the clocks of two machines may differ
DEFAULT_SECONDS = 10.0
MAX_SECONDS = 60.0
MOST_DIGITS = 12  # longer numbers are none

_ends_at: ContextVar[float | None] = ContextVar("deadline", default=None)


class DeadlineExceeded(Exception):
    """The time the caller granted is over."""


def start(header: str | None) -> Token[float | None]:
    """Set the deadline of the work that begins now from the caller's header or the default."""
    seconds = DEFAULT_SECONDS
    if header and len(header) <= MOST_DIGITS and header.isascii() and header.isdigit():
        seconds = min(int(header) / 1000, MAX_SECONDS)
    return _ends_at.set(time.monotonic() + seconds)


def end(token: Token[float | None]) -> None:
    """Forget the deadline set by `start`."""
    _ends_at.reset(token)


def remaining(default: float) -> float:
    """Return the seconds left, at most `default`; outside a request simply `default`.

    Raises:
        DeadlineExceeded: nothing is left.
    """
    ends_at = _ends_at.get()
    if ends_at is None:
        return default
    left = ends_at - time.monotonic()
    if left <= 0:
        raise DeadlineExceeded("the time granted to this request is over")
    return min(left, default)

"""Asking the payment provider about many things, so that none keeps the others waiting."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog

from service_kit.peers import PeerUnavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")

AWAY_AFTER = 5  # so many in a row: it is the provider, not what it was asked about


def one_by_one(things: Iterable[T], do: Callable[[T], object]) -> int:
    """Do something for each thing, also if the provider cannot be asked about another; count them.

    If it cannot be asked about several in a row, the rest is left to the next run: what was tried
    must not come first then.

    Raises:
        PeerUnavailable: the provider could not be asked about one or more of them.
    """
    away: PeerUnavailable | None = None
    tried = in_a_row = 0
    for thing in things:
        tried += 1
        try:
            do(thing)
            in_a_row = 0
        except PeerUnavailable as error:
            log.warning("provider could not be asked", about=str(thing), reason=str(error))
            away, in_a_row = error, in_a_row + 1
            if in_a_row == AWAY_AFTER:
                break
    if away is not None:
        raise away
    return tried

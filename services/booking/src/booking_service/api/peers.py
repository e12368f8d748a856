"""Figures of other services that are shown if they can be had."""

from collections.abc import Callable
from typing import TypeVar

from service_kit.deadline import DeadlineExceeded
from service_kit.peers import PeerUnavailable

T = TypeVar("T")


def if_it_answers(ask: Callable[[], T]) -> T | None:
    """Return another service's answer, None while there is none."""
    try:
        return ask()
    except (PeerUnavailable, DeadlineExceeded):
        return None

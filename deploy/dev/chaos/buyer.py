"""A second buyer, who tries to buy all the time and keeps a log of what came of it."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import NamedTuple

import psycopg
import requests

from devstack.visitor import Visitor

_PAUSE_SECONDS = 0.15
_SOLD = ("CONFIRMED", "CONFIRMED_UNPAID")

_BOOKINGS = """
    SELECT b.id::text, k.key, b.show_id::text, b.status::text FROM booking.booking AS b
    LEFT JOIN booking.idempotency_key AS k
        ON k.user_id = b.user_id AND (k.facts ->> 'id')::uuid = b.id
    WHERE b.user_id = %s
"""


class Outcome(Enum):
    """What the buyer knows of an attempt."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # no answer, or one that does not say


@dataclass(frozen=True, slots=True)
class Attempt:
    """One wish for a ticket."""

    key: str
    show_id: str
    outcome: Outcome
    booking_id: str = ""


class Stored(NamedTuple):
    """A booking in the database."""

    id: str
    key: str | None  # the Idempotency-Key that it was made with
    show_id: str
    status: str


class Buyer(threading.Thread):
    """Buys a ticket of one of the shows of the house, then one of the coveted show, and so on."""

    def __init__(self, url: str, email: str, house: Sequence[str]) -> None:
        super().__init__(name="second buyer", daemon=True)
        self._visitor = Visitor(url)
        self.id: str = self._visitor.sign_in(email)["id"]
        self._house = house
        self._coveted = ""
        self._done = threading.Event()
        self.log: list[Attempt] = []

    def covet(self, show_id: str) -> None:
        """Have the buyer try to buy this one as well from now on."""
        self._coveted = show_id

    def begin(self) -> None:
        """Begin to buy, if that has not begun."""
        if self.ident is None:
            self.start()

    def run(self) -> None:
        """Buy until `finish`."""
        number = 0
        while not self._done.wait(_PAUSE_SECONDS):
            number += 1
            wishes = [self._house[number % len(self._house)], self._coveted]
            for show_id in filter(None, wishes):
                self.log.append(self._try_to_buy(show_id, f"{show_id}:{number}"))

    def finish(self) -> None:
        """Wait until the last attempt is answered."""
        self._done.set()
        if self.ident is not None:
            self.join()
        self._visitor.close()

    def _try_to_buy(self, show_id: str, key: str) -> Attempt:
        wish = {"showId": show_id, "quantity": 1}
        headers = {"Idempotency-Key": key}
        try:
            answer = self._visitor.post("/api/v1/bookings", wish, headers=headers)
            return _judge(answer, key, show_id)
        except requests.RequestException:
            return Attempt(key, show_id, Outcome.UNKNOWN)

    def objections(self, auditor: psycopg.Connection, lost_show: str) -> list[str]:
        """Return what is stored otherwise than the log has it; `auditor` sees booking's tables."""
        stored = [Stored(*row) for row in auditor.execute(_BOOKINGS, (self.id,))]
        return objections(self.log, stored, lost_show)


def objections(log: Iterable[Attempt], stored: Iterable[Stored], lost_show: str) -> list[str]:
    """Return what is stored otherwise than it should be: acknowledged ⊆ stored ⊆ not refused.

    Args:
        log: what the buyer was told.
        stored: the buyer's bookings.
        lost_show: of this one nothing may be sold; of all others the buyer has what was bought.
    """
    log, stored = list(log), list(stored)
    bought = {each.booking_id for each in log if each.outcome is Outcome.ACKNOWLEDGED}
    perhaps = {each.key for each in log if each.outcome is Outcome.UNKNOWN}
    lost = bought - {booking.id for booking in stored}
    found = [f"acknowledged and lost: booking {booking_id}" for booking_id in sorted(lost)]
    for booking in stored:
        if booking.id not in bought and booking.key not in perhaps:
            found.append(f"stored though nobody bought it: booking {booking.id}")
        if booking.show_id == lost_show and booking.status in _SOLD:
            found.append(f"sold of a show that is gone: booking {booking.id}")
        if booking.show_id != lost_show and booking.status not in _SOLD:
            found.append(f"the buyer lost booking {booking.id}: {booking.status}")
    return found


def _judge(answer: requests.Response, key: str, show_id: str) -> Attempt:
    if answer.status_code == HTTPStatus.CREATED:
        booking = answer.json()["booking"]["id"]
        return Attempt(key, show_id, Outcome.ACKNOWLEDGED, booking)
    refused = HTTPStatus.BAD_REQUEST <= answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    return Attempt(key, show_id, Outcome.REFUSED if refused else Outcome.UNKNOWN)

"""Answers of a peer about many things at once, remembered for a moment."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar
from uuid import UUID

from service_kit.deadline import DeadlineExceeded
from service_kit.peers import PeerUnavailable

V = TypeVar("V")

MAX_ENTRIES = 20_000
LEFT_ALONE_SECONDS = 1.0  # so long a peer that is down is not asked again


class Remembered(Generic[V]):
    """Asks only about what is not remembered, all of it in one call. Thread-safe."""

    def __init__(
        self,
        ask: Callable[[list[UUID]], Mapping[UUID, V]],
        *,
        seconds: float,
        stale_seconds: float = 0,
    ) -> None:
        """Remember nothing yet.

        Args:
            ask: returns what the peer knows about some ids.
            seconds: how long an answer counts.
            stale_seconds: how much longer it counts while the peer is down.
        """
        self._ask = ask
        self._seconds = seconds
        self._stale_seconds = stale_seconds
        self._lock = threading.Lock()
        self._answers: dict[UUID, tuple[float, V]] = {}
        self._down_until = 0.0
        self._is_down = False

    def about(self, ids: Iterable[UUID]) -> dict[UUID, V | None]:
        """Return what the peer says: None for what it does not know; absent: it cannot be asked.

        What the peer does not know is not remembered: it may learn of it at any moment. Once the
        peer has been found to be down, nobody waits for it: it is asked again beside the requests.
        """
        wanted = list(dict.fromkeys(ids))
        now = time.monotonic()
        with self._lock:
            unknown = [each for each in wanted if self._age(each, now) > self._seconds]
            is_down, may_ask = self._is_down, now >= self._down_until
            if unknown and is_down and may_ask:
                self._down_until = float("inf")  # until this attempt has ended
        told: dict[UUID, V | None] = {}
        if unknown and may_ask:
            if is_down:
                threading.Thread(target=self._fetch, args=[unknown], daemon=True).start()
            elif self._fetch(unknown):
                told = dict.fromkeys(unknown)
        with self._lock:
            return told | {
                each: self._answers[each][1]
                for each in wanted
                if self._age(each, now) <= self._seconds + self._stale_seconds
            }

    def _fetch(self, ids: list[UUID]) -> bool:
        """Ask about these; return whether there was an answer."""
        moment = time.monotonic()  # of the question: the answer is no older
        answers = None
        try:
            answers = self._ask(ids)
        except (PeerUnavailable, DeadlineExceeded):
            return False
        finally:
            with self._lock:
                self._is_down = answers is None
                self._down_until = time.monotonic() + LEFT_ALONE_SECONDS if self._is_down else 0.0
        with self._lock:
            if len(self._answers) + len(ids) > MAX_ENTRIES:
                self._answers.clear()
            for each in ids:
                self._answers.pop(each, None)  # nobody keeps a name that the peer has forgotten
            self._answers.update((each, (moment, answer)) for each, answer in answers.items())
        return True

    def _age(self, one: UUID, now: float) -> float:
        answer = self._answers.get(one)
        return float("inf") if answer is None else now - answer[0]

"""What is read for every sale and seldom changes, kept in memory."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

T = TypeVar("T")

MEMORY_SECONDS = 1.0


class Kept(Generic[T]):
    """Something at most `MEMORY_SECONDS` behind the database; with that away, the last one seen."""

    def __init__(self, look: Callable[[], T | None]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._kept: T | None = None
        self._fresh_until = 0.0

    def current(self) -> T | None:
        """Return what is kept, None if there has never been anything.

        One caller looks, the others go on with what there is; only before the first do all wait.
        """
        kept = self._kept
        if time.monotonic() < self._fresh_until and kept is not None:
            return kept
        if self._lock.acquire(blocking=kept is None):
            try:
                if time.monotonic() >= self._fresh_until:
                    self._refresh()
                kept = self._kept
            finally:
                self._lock.release()
        return kept

    def _refresh(self) -> None:
        try:
            self._kept = self._look()
        except SQLAlchemyError:
            if self._kept is None:
                raise
        self._fresh_until = time.monotonic() + (MEMORY_SECONDS if self._kept else 0)

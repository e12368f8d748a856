"""Encoded answers that everybody shares, kept for a moment; one request builds, the others wait."""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field


class PageNotReady(Exception):
    """Others are building this page, or too many other ones, and take too long."""


@dataclass(frozen=True, slots=True)
class Page:
    """An encoded answer; equal ones have equal tags."""

    body: bytes
    tag: str

    @classmethod
    def of(cls, body: bytes) -> "Page":
        """Return the page with this content."""
        return cls(body, hashlib.blake2b(body, digest_size=12).hexdigest())


@dataclass(frozen=True, slots=True)
class _Kept:
    page: Page
    as_of: float  # when its building began: it shows nothing older


@dataclass(slots=True)
class _Building:
    done: threading.Event = field(default_factory=threading.Event)
    page: Page | None = None  # none if it failed


class KeptPages:
    """Keeps the newest page for each key. Thread-safe; failures are never kept.

    While one caller builds the next page, the others get the previous one for `grace_seconds` more,
    then wait. If building fails, its caller gets the error, and one of those that wait tries again.
    Few pages are built at once: however many are asked for, they leave connections to others.
    """

    def __init__(
        self,
        *,
        seconds: float = 1.0,
        grace_seconds: float = 0.5,
        wait_seconds: float = 1.5,
        builders: int = 4,
        max_entries: int = 512,
        max_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        """Keep nothing yet.

        Args:
            seconds: how old a page may be without a new one being built; 0 keeps nothing.
            grace_seconds: how much older while a new one is being built.
            wait_seconds: how long anybody waits for what others build.
            builders: how many pages are built at once.
            max_entries: how many pages are kept; those unused for longest go first.
            max_bytes: how large they may be together; what is larger than an eighth of it is
                not kept.
        """
        self._seconds = seconds
        self._grace_seconds = grace_seconds
        self._wait_seconds = wait_seconds
        self._builders = threading.BoundedSemaphore(builders)
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._bytes = 0
        self._under_way: dict[Hashable, _Building] = {}

    def fresh(self, key: Hashable) -> Page | None:
        """Return the page if it is so new that nobody has to build another."""
        with self._lock:
            return self._younger_than(self._seconds, key)

    def get(self, key: Hashable, build: Callable[[], bytes]) -> Page:
        """Return the page for a key; this caller builds it if nobody else does.

        Raises:
            PageNotReady: what others build takes too long.
        """
        gives_up_at = time.monotonic() + self._wait_seconds
        while True:
            with self._lock:
                if page := self._younger_than(self._seconds, key):
                    return page
                building = self._under_way.get(key)
                is_mine = building is None
                if building is None:
                    building = self._under_way[key] = _Building()
                elif page := self._younger_than(self._seconds + self._grace_seconds, key):
                    return page
            if is_mine:
                return self._build(key, building, build, gives_up_at)
            if not building.done.wait(max(gives_up_at - time.monotonic(), 0.0)):
                raise PageNotReady
            if building.page:
                return building.page

    def _build(
        self, key: Hashable, mine: _Building, build: Callable[[], bytes], gives_up_at: float
    ) -> Page:
        try:
            if not self._builders.acquire(timeout=max(gives_up_at - time.monotonic(), 0.0)):
                raise PageNotReady
            as_of = time.monotonic()
            try:
                page = Page.of(build())
            finally:
                self._builders.release()
            mine.page = page
            with self._lock:
                self._keep(key, _Kept(page, as_of))
            return page
        finally:
            with self._lock:
                del self._under_way[key]
            mine.done.set()

    def _younger_than(self, seconds: float, key: Hashable) -> Page | None:
        kept = self._kept.get(key)
        if kept is None or time.monotonic() - kept.as_of >= seconds:
            return None
        self._kept.move_to_end(key)
        return kept.page

    def _keep(self, key: Hashable, kept: _Kept) -> None:
        previous = self._kept.pop(key, None)
        self._bytes -= len(previous.page.body) if previous else 0
        size = len(kept.page.body)
        if self._seconds <= 0 or size > self._max_bytes // 8:
            return
        self._kept[key] = kept
        self._bytes += size
        while len(self._kept) > self._max_entries or self._bytes > self._max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.page.body)

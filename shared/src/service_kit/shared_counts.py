"""Counts of how often something happened in a window of time, of all processes together."""

import hashlib
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, NamedTuple, cast

import structlog
from limits.storage import Storage
from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Engine,
    Executable,
    LargeBinary,
    Table,
    bindparam,
    column,
    delete,
    func,
    inspect,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from service_kit.timers import RUNS

log = structlog.get_logger(__name__)

SHARE_SECONDS = 1.0
TIDY_SECONDS = 60.0
MOST_KEPT = 100_000
MOST_AT_ONCE = 1_000
DIGEST_BYTES = 16
TASK = "share-counts"


class CountColumns:
    """The columns of a table of counts: a mixin. It is not logged: its rows soon say nothing."""

    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    ends_at: Mapped[datetime] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    total: Mapped[int]


@dataclass(slots=True, eq=False)
class _Count:
    """What is known of one key in its present window."""

    ends_at: int  # seconds since 1970
    told: int = 0  # counted by all, when this process told them last
    untold: int = 0  # counted here since

    @property
    def total(self) -> int:
        return self.told + self.untold


class _News(NamedTuple):
    """What is told of a count."""

    ends_at: datetime
    digest: bytes
    amount: int
    known: _Count


class SharedCounts(Storage):
    """Counts in memory, and with the other processes through a table. Thread-safe.

    No request waits for the database: once a second a process tells the table what it counted,
    and is told how often it was for all. What others count of a key it learns only then, a second
    after it counted that key itself. Without the database each goes on by its own counts. Windows
    begin at multiples of their length. Keys are written as keyed hashes, others in each window.
    """

    STORAGE_SCHEME = None
    _known: ClassVar[weakref.WeakSet["SharedCounts"]] = weakref.WeakSet()

    def __init__(
        self,
        engine: Engine,
        rows: type[CountColumns],
        *,
        secret: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare for counting.

        Args:
            engine: connects to the database of the table.
            rows: the table.
            secret: the same in all processes that count together.
            clock: says the seconds since 1970.
        """
        super().__init__()
        self._engine = engine
        self._table = cast("Table", inspect(rows).local_table)
        self._add = _adding(self._table)
        self._secret = hashlib.blake2b(secret.encode(), person=b"shared counts").digest()
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[str, _Count] = {}
        self._tidied_at = 0.0
        self._failing = False
        self._known.add(self)

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """What `limits` is to take for a fault of the storage: nothing here can fail."""
        return ()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, and return how often that makes in the present window of `expiry` seconds."""
        ends_at = (int(self._clock()) // expiry + 1) * expiry
        with self._lock:
            count = self._counts.get(key)
            if count is None or count.ends_at != ends_at:
                if len(self._counts) >= MOST_KEPT:
                    self._make_room()
                count = self._counts[key] = _Count(ends_at)
            count.untold += amount
            return count.total

    def get(self, key: str) -> int:
        """Return how often that was in the window of the last time."""
        count = self._counts.get(key)
        return count.total if count else 0

    def get_expiry(self, key: str) -> float:
        """Return when the window of the last time ends, in seconds since 1970."""
        count = self._counts.get(key)
        return count.ends_at if count else self._clock()

    def check(self) -> bool:
        """Return that it can count: it needs nobody for that."""
        return True

    def clear(self, key: str) -> None:
        """Forget here how often something was; what was told stays in the table."""
        with self._lock:
            self._counts.pop(key, None)

    def reset(self) -> int:
        """Forget everything here; return how many keys that were."""
        with self._lock:
            forgotten = len(self._counts)
            self._counts.clear()
        return forgotten

    def share(self) -> None:
        """Tell the table what was counted since the last time, and learn how often it was for all.

        Raises:
            SQLAlchemyError: the database is away; what it has not taken is told the next time. If
                only its answer was lost, that is told twice.
        """
        now = self._clock()
        with self._lock:
            self._forget_ended(now)
            untold = [
                (key, count.untold, count) for key, count in self._counts.items() if count.untold
            ]
        news = sorted(  # all processes lock rows in one order
            (self._news(*each) for each in untold), key=lambda each: each[:2]
        )
        for first in range(0, len(news), MOST_AT_ONCE):
            self._tell(news[first : first + MOST_AT_ONCE])
        if now - self._tidied_at >= TIDY_SECONDS:
            self._tidied_at = now
            self._tidy()

    def _news(self, key: str, amount: int, count: _Count) -> _News:
        said = f"{count.ends_at} {key}".encode()
        digest = hashlib.blake2b(said, key=self._secret, digest_size=DIGEST_BYTES).digest()
        return _News(datetime.fromtimestamp(count.ends_at, UTC), digest, amount, count)

    def _tell(self, news: Sequence[_News]) -> None:
        with self._engine.begin() as connection:
            rows = connection.execute(
                self._add,
                {
                    "ends": [each.ends_at for each in news],
                    "digests": [each.digest for each in news],
                    "amounts": [each.amount for each in news],
                },
            )
            totals = {(ends_at, digest): total for ends_at, digest, total in rows}
        with self._lock:
            for ends_at, digest, amount, known in news:
                known.untold -= amount
                # the table may have forgotten: it does not survive a crash of the database
                known.told = max(known.told + amount, totals[ends_at, digest])

    def _tidy(self) -> None:
        ended = self._table.c.ends_at < func.now() - timedelta(seconds=TIDY_SECONDS)
        with self._engine.begin() as connection:
            connection.execute(delete(self._table).where(ended))

    def _make_room(self) -> None:
        self._forget_ended(self._clock())
        if len(self._counts) >= MOST_KEPT:  # what all know is still in the table
            self._counts = {key: count for key, count in self._counts.items() if count.untold}
        if len(self._counts) >= MOST_KEPT:
            log.warning("counts are forgotten", count=len(self._counts))
            self._counts = {}

    def _forget_ended(self, now: float) -> None:
        for key in [key for key, count in self._counts.items() if count.ends_at <= now]:
            del self._counts[key]

    @classmethod
    def share_regularly(cls) -> None:
        """Have all counts of this process shared from now on, by a thread of its own.

        Unlike the timers of a worker it ends with the process, whatever it is doing.
        """

        def go_on() -> None:
            while True:
                time.sleep(SHARE_SECONDS)
                for counts in list(cls._known):
                    counts.share_or_say_why()

        threading.Thread(target=go_on, name=TASK, daemon=True).start()

    def share_or_say_why(self) -> bool:
        """Share; return whether that succeeded. When it begins to fail, that is logged."""
        try:
            self.share()
        except Exception as error:
            RUNS.labels(TASK, "failed").inc()
            if not self._failing:
                expected = isinstance(error, SQLAlchemyError)
                log.warning(
                    "counts are not shared",
                    reason=type(error).__name__,
                    exc_info=None if expected else error,
                )
            self._failing = True
            return False
        RUNS.labels(TASK, "ok").inc()
        self._failing = False
        return True


def _adding(table: Table) -> Executable:
    """Return the statement that adds to the counts in the table and says what they are then."""
    told = func.unnest(
        bindparam("ends", type_=ARRAY(DateTime(timezone=True))),
        bindparam("digests", type_=ARRAY(LargeBinary)),
        bindparam("amounts", type_=ARRAY(BigInteger)),
    )
    added = told.table_valued(column("ends_at"), column("digest"), column("total"))
    rows = select(added.render_derived())
    adding = insert(table).from_select(["ends_at", "digest", "total"], rows)
    return adding.on_conflict_do_update(
        index_elements=["ends_at", "digest"],
        set_={"total": table.c.total + adding.excluded.total},
    ).returning(table.c.ends_at, table.c.digest, table.c.total)

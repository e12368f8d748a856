"""Counts of how often something happened in a window of time, of all processes together."""

import hashlib
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, cast

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

log = structlog.get_logger(__name__)

SHARE_SECONDS = 1.0
TIDY_SECONDS = 60.0
MOST_KEPT = 100_000
MOST_AT_ONCE = 1_000
DIGEST_BYTES = 16


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
    told: int = 0  # counted by all, as far as this process knows
    untold: int = 0  # counted here since

    @property
    def total(self) -> int:
        return self.told + self.untold


class SharedCounts(Storage):
    """Counts in memory, and with the other processes through a table. Thread-safe.

    No request waits for the database: what was counted is told to the table once a second, which
    says what the others counted of the same. So together they may let pass what comes within that
    second; and without the database each goes on by its own counts. Windows begin at multiples of
    their length. Keys are written as keyed hashes: nobody gets back to whom or what they name.

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
        table = cast("Table", inspect(rows).local_table)
        self._engine = engine
        self._table = table
        self._secret = hashlib.blake2b(secret.encode()).digest()
        self._clock = clock
        self._add = _adding(table)
        self._lock = threading.Lock()
        self._counts: dict[str, _Count] = {}
        self._tidied_at = 0.0
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
                    self._counts.clear()  # what was told is still in the table
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
        self._counts.pop(key, None)

    def reset(self) -> int:
        """Forget everything here; return how many keys that were."""
        with self._lock:
            forgotten = len(self._counts)
            self._counts.clear()
        return forgotten

    def share(self) -> None:
        """Tell the table what was counted since the last time, and learn what others counted.

        Raises:
            SQLAlchemyError: the database is away; what was not told will be told the next time.
        """
        now = self._clock()
        with self._lock:
            for key in [key for key, count in self._counts.items() if count.ends_at <= now]:
                del self._counts[key]
            untold = [
                (datetime.fromtimestamp(count.ends_at, UTC), self._digest(key), count)
                for key, count in self._counts.items()
                if count.untold
            ]
        untold.sort(key=lambda each: each[:2])  # all processes lock rows in one order
        for first in range(0, len(untold), MOST_AT_ONCE):
            self._tell(untold[first : first + MOST_AT_ONCE])
        if untold and now - self._tidied_at >= TIDY_SECONDS:
            self._tidied_at = now
            self._tidy()

    def _tell(self, untold: Sequence[tuple[datetime, bytes, _Count]]) -> None:
        amounts = [count.untold for _, _, count in untold]
        with self._engine.begin() as connection:
            rows = connection.execute(
                self._add,
                {
                    "ends": [ends_at for ends_at, _, _ in untold],
                    "digests": [digest for _, digest, _ in untold],
                    "amounts": amounts,
                },
            )
            totals = {(ends_at, digest): total for ends_at, digest, total in rows}
        with self._lock:
            for (ends_at, digest, count), amount in zip(untold, amounts, strict=True):
                count.untold -= amount
                # the table may have forgotten: it does not survive a crash of the database
                count.told = max(count.told + amount, totals[ends_at, digest])

    def _tidy(self) -> None:
        ended = self._table.c.ends_at < func.now() - timedelta(seconds=TIDY_SECONDS)
        with self._engine.begin() as connection:
            connection.execute(delete(self._table).where(ended))

    def _digest(self, key: str) -> bytes:
        return hashlib.blake2b(key.encode(), key=self._secret, digest_size=DIGEST_BYTES).digest()

    @classmethod
    def share_regularly(cls) -> None:
        """Have all counts of this process shared from now on, by a thread of its own."""

        def go_on() -> None:
            while True:
                time.sleep(SHARE_SECONDS)
                for counts in list(cls._known):
                    try:
                        counts.share()
                    except SQLAlchemyError as error:
                        log.warning("counts are not shared", reason=type(error).__name__)

        threading.Thread(target=go_on, name="shared counts", daemon=True).start()


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

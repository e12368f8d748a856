"""Somebody who may see everything and change nothing, while the database comes and goes."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from check_invariants import violations


class Auditor:
    """A connection of the role `auditor`, past the proxy, replaced when the database was away."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._open: psycopg.Connection | None = None

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """Lend the connection.

        Raises:
            OperationalError: the database is away; next time it may be back.
        """
        if self._open is None:
            self._open = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
        try:
            yield self._open
        except psycopg.OperationalError:
            self.close()
            raise

    def close(self) -> None:
        """Close what is open."""
        if self._open is not None:
            self._open.close()
        self._open = None


def broken_invariants(database: psycopg.Connection) -> list[str]:
    """Return what `make check-invariants` would find."""
    return [
        f"{invariant.name}: {row}" for invariant, broken in violations(database) for row in broken
    ]

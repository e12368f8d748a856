"""After the load: is what the database holds what the buyers were told?"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg

from bench.programme import Ledger
from check_invariants import INVARIANTS

# The offers of the load were opened at booking alone: there are no shows of theirs in catalog.
_NOT_HERE = {"I19"}


@dataclass(frozen=True, slots=True)
class Check:
    """One statement about the data after the load."""

    statement: str
    holds: bool


def checks(database_url: str, ledger: Ledger, show_ids: Sequence[str]) -> list[Check]:
    """Check the invariants of the data, and that confirmed bookings are there, no others."""
    with psycopg.connect(database_url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        found = [
            Check(
                f"{each.name} {each.statement}", not connection.execute(each.violations).fetchall()
            )
            for each in INVARIANTS
            if each.name not in _NOT_HERE
        ]
        stored = _booked(connection, show_ids)
    confirmed, unknown = ledger.counts["confirmed"], ledger.counts["unknown"]
    statement = f"{stored} bookings stored = {confirmed} confirmed" + (
        f" + at most {unknown} of unknown outcome" if unknown else ""
    )
    return [*found, Check(statement, confirmed <= stored <= confirmed + unknown)]


def _booked(connection: psycopg.Connection, show_ids: Sequence[str]) -> int:
    row = connection.execute(
        "SELECT count(*) FROM booking.booking WHERE show_id = ANY(%s)",
        ([UUID(show_id) for show_id in show_ids],),
    ).fetchone()
    return int(row[0]) if row else 0

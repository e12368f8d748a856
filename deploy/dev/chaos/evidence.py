"""What the database holds about somebody, and what may never become less."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from chaos.stage import Stage
from devstack.settings import SERVICES
from erasure_scan.scan import scan

# What a deletion leaves behind even if it came to nothing, or what any request changes.
_NOT_COMPARED = {
    ("identity", "account_deletion"),
    ("booking", "account_deletion"),
    ("catalog", "account_deletion"),
    ("config", "account_deletion"),
    ("identity", "account_deletion_step"),
    ("identity", "audit_entry"),
}
_VOLATILE = {
    ("identity", "session"): ["last_seen_at", "expires_at"],
    ("booking", "creator_terms"): ["confirmed_at"],
}

Rows = Mapping[str, frozenset[str]]  # by table
Totals = Mapping[str, tuple[int, int]]  # number and sum

_TOTALS = """
    SELECT 'bookings', count(*), sum(ticket_total_paise + convenience_fee_paise)
        FROM booking.booking
    UNION ALL SELECT 'moves', count(*), 0 FROM booking.booking_move
    UNION ALL SELECT 'payments', count(*), sum(amount_paise) FROM booking.payment
    UNION ALL
    SELECT 'refunds', count(*), sum(ticket_paise + convenience_fee_paise) FROM booking.refund
    UNION ALL SELECT 'ledger', count(*), sum(abs(ticket_paise) + paid_out_paise)
        FROM booking.ledger_entry
"""


def rows_about(database: psycopg.Connection, ids: Iterable[str]) -> Rows:
    """Return every row that names one of these ids, as text, apart from what may change."""
    pattern = "|".join(ids)
    found = {}
    for schema, table in _tables(database):
        query = sql.SQL(
            "SELECT (to_jsonb(t) - %s::text[])::text FROM {} AS t WHERE to_jsonb(t)::text ~ %s"
        ).format(sql.Identifier(schema, table))
        volatile = _VOLATILE.get((schema, table), [])
        rows = frozenset(row[0] for row in database.execute(query, (volatile, pattern)))
        if rows:
            found[f"{schema}.{table}"] = rows
    return found


def differences(before: Rows, after: Rows, *, spared: str | None = None) -> list[str]:
    """Return the tables whose rows are not as they were, unless their names begin as `spared`."""
    found = []
    for table in sorted({*before, *after}):
        then, now = before.get(table, frozenset()), after.get(table, frozenset())
        if then != now and not (spared and table.startswith(spared)):
            found.append(
                f"{table} is not as before: {_briefly(then - now)} / {_briefly(now - then)}"
            )
    return found


def totals(database: psycopg.Connection) -> Totals:
    """Return number and sum of the rows that money rests on."""
    return {what: (count, int(amount or 0)) for what, count, amount in database.execute(_TOTALS)}


def losses(before: Totals, after: Totals) -> list[str]:
    """Return which of them have become less."""
    return [
        f"there were {before[what]} {what} (number, paise), now {after[what]}"
        for what in before
        if after[what][0] < before[what][0] or after[what][1] < before[what][1]
    ]


def _tables(database: psycopg.Connection) -> list[tuple[str, str]]:
    rows = database.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY(%s)", (list(SERVICES),)
    ).fetchall()
    return [(schema, table) for schema, table in rows if (schema, table) not in _NOT_COMPARED]


def left_behind(stage: Stage, values: Mapping[str, str]) -> list[str]:
    """Return where anything that names somebody is still found."""
    settings, logs = stage.stack.settings, stage.stack.run_dir / "logs"
    folders = [Path(settings["MEDIA_DIR"]), Path(settings["ERASURE_JOURNAL"]), logs]
    return [str(finding) for finding in scan(stage.stack.db_url("auditor"), folders, values)]


def _briefly(rows: frozenset[str]) -> str:
    return f"{len(rows)} rows, such as {min(rows)[:400]}" if rows else "no row"

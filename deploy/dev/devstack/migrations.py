"""Whether there is anything to migrate, without starting every service to ask it.

A warm `make run` is quicker by half for it. What counts: the files that migrations are made of, and
the revision that each schema is at; both as they were after the last migration of this database.
"""

import hashlib
import json
from pathlib import Path

import psycopg
from psycopg import sql

from devstack.settings import CHECKOUT, SERVICES, Settings

_FILES = (
    "services/*/migrations/**/*.py",
    "services/*/src/*/cli.py",
    "shared/src/service_kit/*.py",
    "deploy/dev/requirements.txt",  # the tables of durable work are dbos's
)


def up_to_date(settings: Settings, note: Path) -> bool:
    """Tell whether everything is as it was when `remember` wrote this note."""
    return note.exists() and json.loads(note.read_text()) == _state(settings)


def remember(settings: Settings, note: Path) -> None:
    """Note that all migrations have been applied."""
    note.write_text(json.dumps(_state(settings)))


def _state(settings: Settings) -> dict[str, str | None]:
    digest = hashlib.sha256()
    for pattern in _FILES:
        for file in sorted(CHECKOUT.glob(pattern)):
            digest.update(f"{file.relative_to(CHECKOUT)}\n".encode() + file.read_bytes())
    return {"files": digest.hexdigest(), **_revisions(settings)}


def _revisions(settings: Settings) -> dict[str, str | None]:
    revisions: dict[str, str | None] = {}
    with psycopg.connect(settings.database_url("postgres"), autocommit=True) as connection:
        for service in SERVICES:
            table = sql.Identifier(service, "alembic_version")
            try:
                row = connection.execute(
                    sql.SQL("SELECT version_num FROM {}").format(table)
                ).fetchone()
            except psycopg.errors.UndefinedTable:
                row = None
            revisions[service] = row[0] if row else None
    return revisions

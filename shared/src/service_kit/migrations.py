"""Alembic for one service: own schema, own version table, bounded waits, one migrator at a time."""

import os
from typing import Any

from alembic import context
from sqlalchemy import MetaData, create_engine, inspect, text
from sqlalchemy.engine import URL, make_url

from service_kit.database import SILENCE
from service_kit.settings import reading

LOCK_TIMEOUT = "4s"
STATEMENT_TIMEOUT = "60s"
URL_VARIABLE = "MIGRATION_DATABASE_URL"


def owner_url() -> URL:
    """Return where the database is, as the owner of the schema.

    Raises:
        SettingsError: the environment does not say.
    """
    with reading(os.environ) as env:
        url = env.text(URL_VARIABLE)
    return make_url(url).set(drivername="postgresql+psycopg")


def run_migrations(*, schema: str, metadata: MetaData) -> None:
    """Run what alembic was asked for on the service's own schema, as the schema's owner.

    A lock that cannot be had within `LOCK_TIMEOUT` fails the migration instead of queueing every
    other statement behind it; two migrators wait for each other.
    """
    options: dict[str, Any] = {
        "target_metadata": metadata,
        "version_table_schema": schema,
        "include_schemas": True,
        "include_name": lambda name, kind, _parents: kind != "schema" or name == schema,
        "compare_type": True,
        "compare_server_default": True,
        "transaction_per_migration": True,
    }
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", literal_binds=True, as_sql=True, **options)
        with context.begin_transaction():
            context.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
            context.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
            context.run_migrations()
        return
    settings = f"-c lock_timeout={LOCK_TIMEOUT} -c statement_timeout={STATEMENT_TIMEOUT}"
    engine = create_engine(
        owner_url(),
        hide_parameters=True,
        connect_args={
            # no search path: names in the models and migrations carry their schema
            "options": f"{settings} -c search_path=",
            "application_name": f"migrate {schema}",
            "connect_timeout": 5,
            **SILENCE,
        },
    )
    try:
        with engine.connect() as lock, engine.connect() as connection:
            lock.execute(text("SET lock_timeout = '60s'"))
            lock.execute(
                text("SELECT pg_advisory_lock(hashtextextended('migrate:' || :schema, 0))"),
                {"schema": schema},
            )
            lock.commit()  # a session lock: it lives until the connection closes
            context.configure(connection=connection, **options)
            with context.begin_transaction():
                context.run_migrations()
            if inspect(connection).has_table("alembic_version", schema):
                # the service may see what revision its schema has, not say so
                revoke = (
                    f'REVOKE INSERT, UPDATE, DELETE ON "{schema}".alembic_version FROM "{schema}"'
                )
                connection.execute(text(revoke))
                connection.commit()
    finally:
        engine.dispose()

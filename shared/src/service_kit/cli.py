"""The command line of a service: migrations, API document; a service adds its own commands."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import create_engine

from service_kit import logs
from service_kit.database import SILENCE
from service_kit.migrations import owner_url
from service_kit.settings import SettingsError


@dataclass(frozen=True, slots=True)
class ServiceTools:
    """What the commands need to know of a service."""

    schema: str
    folder: Path  # with alembic.ini, migrations/ and openapi.json
    openapi: Callable[[], dict[str, Any]]  # called without any settings
    after_migrating: Callable[[str], None] | None = None  # given the owner's database URL

    @property
    def alembic(self) -> Config:
        """The service's alembic configuration."""
        config = Config(self.folder / "alembic.ini")
        config.set_main_option("script_location", str(self.folder / "migrations"))
        return config

    @property
    def newest_revision(self) -> str | None:
        """The revision the code expects."""
        return ScriptDirectory.from_config(self.alembic).get_current_head()

    def revision(self) -> str | None:
        """Return the revision the database is at."""
        engine = create_engine(
            owner_url(), hide_parameters=True, connect_args={"connect_timeout": 5, **SILENCE}
        )
        try:
            with engine.connect() as connection:
                options = {"version_table_schema": self.schema}
                return MigrationContext.configure(connection, opts=options).get_current_revision()
        finally:
            engine.dispose()


def service_cli(tools: ServiceTools) -> click.Group:
    """Return the commands every service has."""

    @click.group()
    @click.pass_context
    def cli(context: click.Context) -> None:
        """Operate one service."""
        logs.configure(service=tools.schema, level="WARNING")
        context.obj = tools

    for each in (migrate, rollback, migration, migrate_status, migrate_sql, openapi):
        cli.add_command(each)
    return cli


def _require_url() -> None:
    try:
        owner_url()
    except SettingsError as error:
        sys.exit(f"{error} (the database, as the owner of the schema)")


@click.command()
@click.option("--to", default="head", help="revision to go to")
@click.pass_obj
def migrate(tools: ServiceTools, to: str) -> None:
    """Bring the schema to a revision; nothing happens if it is there."""
    _require_url()
    if to == "head" and tools.revision() == tools.newest_revision:
        click.echo(f"{tools.schema}: up to date")
    else:
        command.upgrade(tools.alembic, to)
        click.echo(f"{tools.schema}: migrated to {to}")
    if tools.after_migrating is not None:
        plain = owner_url().set(drivername="postgresql")
        tools.after_migrating(plain.render_as_string(hide_password=False))


@click.command()
@click.option("--to", default="-1", help="revision to go back to; one step if not given")
@click.pass_obj
def rollback(tools: ServiceTools, to: str) -> None:
    """Undo migrations."""
    _require_url()
    command.downgrade(tools.alembic, to)
    click.echo(f"{tools.schema}: now at {tools.revision() or 'the empty schema'}")


@click.command()
@click.option("--message", "-m", required=True)
@click.pass_obj
def migration(tools: ServiceTools, message: str) -> None:
    """Write a new migration from the difference between models and database."""
    _require_url()
    command.revision(tools.alembic, message=message, autogenerate=True)


@click.command("migrate-status")
@click.pass_obj
def migrate_status(tools: ServiceTools) -> None:
    """Show the revision of the schema and the newest one; fail if models and schema differ."""
    _require_url()
    at, newest = tools.revision(), tools.newest_revision
    click.echo(f"{tools.schema}: at {at or 'the empty schema'}, newest {newest}")
    if at != newest:
        sys.exit(f"{tools.schema}: run `make migrate SERVICE={tools.schema}`")
    try:
        command.check(tools.alembic)
    except CommandError as error:
        sys.exit(f"{tools.schema}: the models differ from the schema: {error}")


@click.command("migrate-sql")
@click.option("--from", "start", default="base", help="revision the database is at")
@click.pass_obj
def migrate_sql(tools: ServiceTools, start: str) -> None:
    """Print the migrations as SQL."""
    command.upgrade(tools.alembic, f"{start}:head", sql=True)


@click.command()
@click.option("--check", is_flag=True, help="fail if the committed document differs")
@click.pass_obj
def openapi(tools: ServiceTools, check: bool) -> None:
    """Write the API document."""
    golden = tools.folder / "openapi.json"
    text = json.dumps(tools.openapi(), indent=2, ensure_ascii=False) + "\n"
    if not check:
        golden.write_text(text, encoding="utf-8")
    elif not golden.exists() or golden.read_text(encoding="utf-8") != text:
        sys.exit(f"{golden}: not what the code says; run `make openapi` and review the change")

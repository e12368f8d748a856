"""Commands of the booking service: `python -m booking_service.cli`."""

import os
from pathlib import Path

import click

from booking_service.app import openapi
from booking_service.seed import seed
from booking_service.settings import Settings
from booking_service.wiring import SERVICE, wire
from service_kit.cli import ServiceTools, service_cli
from service_kit.durable import migrate_workflows, workflow_schema

FOLDER = Path(__file__).parents[2]


def _after_migrating(owner_url: str) -> None:
    migrate_workflows(owner_url, workflow_schema(SERVICE), SERVICE)


cli = service_cli(
    ServiceTools(schema=SERVICE, folder=FOLDER, openapi=openapi, after_migrating=_after_migrating)
)


@cli.command("seed")
def seed_command() -> None:
    """Book some of the demonstration season; development only."""
    settings = Settings.from_env(os.environ)
    if not settings.development:
        raise click.ClickException("demonstration bookings need ENV=development")
    use = wire(settings)
    click.echo(f"{SERVICE}: {seed(use.begin, use.box_office, use.fees, use.rules, use.config)}")


if __name__ == "__main__":
    cli()

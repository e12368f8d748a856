"""Commands of the config service: `python -m config_service.cli`."""

import os
from pathlib import Path

import click

from config_service.app import openapi
from config_service.seed import seed
from config_service.settings import Settings
from config_service.wiring import SERVICE, wire
from service_kit.cli import ServiceTools, service_cli

FOLDER = Path(__file__).parents[2]

cli = service_cli(ServiceTools(schema=SERVICE, folder=FOLDER, openapi=openapi))


@cli.command("seed")
def seed_command() -> None:
    """Set the fees a new platform starts with."""
    click.echo(f"{SERVICE}: {seed(wire(Settings.from_env(os.environ)).begin)}")


if __name__ == "__main__":
    cli()

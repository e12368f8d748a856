"""Commands of the identity service: `python -m identity_service.cli`."""

import os
import sys
from pathlib import Path

import click

from identity_service.app import openapi
from identity_service.domain.service_clients import GRANTS
from identity_service.repositories.transaction import Transaction
from identity_service.seed import seed_clients, seed_people
from identity_service.settings import Settings, client_secrets
from identity_service.wiring import SERVICE, wire
from service_kit.cli import ServiceTools, service_cli
from service_kit.database import connect_to, transactions
from service_kit.settings import DEVELOPMENT

FOLDER = Path(__file__).parents[2]

cli = service_cli(ServiceTools(schema=SERVICE, folder=FOLDER, openapi=openapi))


@cli.command("seed")
def seed_command() -> None:
    """Make the service clients known and, for development, the people to sign in as."""
    settings = Settings.from_env(os.environ)
    if settings.env != DEVELOPMENT:
        sys.exit(f"{SERVICE}: people are seeded with ENV=development only; see seed-clients")
    use = wire(settings)
    clients = seed_clients(use.begin, client_secrets(os.environ, list(GRANTS)))
    click.echo(f"{SERVICE}: {seed_people(use.begin, use.policy)}, {clients}")


@cli.command("seed-clients")
def seed_clients_command() -> None:
    """Make the service clients known, with the secrets of <CLIENT>_CLIENT_SECRET.

    Repeated with a new secret, it leaves the one before valid until the next change.
    """
    secrets = client_secrets(os.environ, list(GRANTS))
    engine = connect_to(os.environ["DATABASE_URL"], application=SERVICE)
    click.echo(f"{SERVICE}: {seed_clients(transactions(engine, Transaction), secrets)}")


if __name__ == "__main__":
    cli()

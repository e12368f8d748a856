"""Commands of the identity service: `python -m identity_service.cli`."""

import os
import sys
from pathlib import Path

import click
from cryptography.fernet import Fernet

from identity_service.app import openapi
from identity_service.domain.errors import RotationUnderWay
from identity_service.domain.service_clients import GRANTS
from identity_service.repositories.transaction import Transaction
from identity_service.seed import seed_clients, seed_people
from identity_service.settings import KeySettings, Settings, client_secrets
from identity_service.usecases.rotate_keys import rotate_keys
from identity_service.wiring import SERVICE, wire
from service_kit.cli import ServiceTools, service_cli
from service_kit.database import connect_to, transactions
from service_kit.openapi import instant
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


@cli.command("rotate-keys")
def rotate_keys_command() -> None:
    """Publish a new signing key; in some minutes it signs, and the one before ends after that.

    Nothing has to be restarted; no token becomes invalid before it expires.
    """
    settings = KeySettings.from_env(os.environ)
    begin = transactions(connect_to(settings.database_url, application=SERVICE), Transaction)
    try:
        done = rotate_keys(begin, Fernet(settings.key_encryption_key))
    except RotationUnderWay as refusal:
        sys.exit(f"{SERVICE}: {refusal.__doc__}")
    click.echo(
        f"{SERVICE}: key {done.kid} signs from {instant(done.signs_from)}; "
        f"{done.older_keys} older end at {instant(done.older_keys_end)}"
    )


if __name__ == "__main__":
    cli()

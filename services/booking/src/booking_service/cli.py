"""Commands of the booking service: `python -m booking_service.cli`."""

import os
import sys
from pathlib import Path

import click
from cryptography.fernet import InvalidToken

from booking_service.app import openapi
from booking_service.repositories.ticket_keyring import cipher_of
from booking_service.seed import seed
from booking_service.settings import Settings
from booking_service.usecases.reencrypt_ticket_keys import reencrypt_ticket_keys
from booking_service.usecases.rotate_ticket_keys import rotate_ticket_keys
from booking_service.usecases.withdraw_ticket_keys import withdraw_ticket_keys
from booking_service.wiring import SERVICE, wire
from service_kit.cli import ServiceTools, service_cli
from service_kit.durable import migrate_workflows, workflow_schema
from service_kit.openapi import instant

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


@cli.command("rotate-ticket-keys")
def rotate_ticket_keys_command() -> None:
    """Publish a new key; it signs the tickets of bookings made a day later.

    Nothing has to be restarted; earlier tickets stay as they are.
    """
    settings = Settings.from_env(os.environ)
    key = rotate_ticket_keys(wire(settings).begin, cipher_of(settings.ticket_key_encryption_keys))
    click.echo(f"{SERVICE}: key {key.kid} signs from {instant(key.active_from)}")


@cli.command("withdraw-ticket-keys")
@click.confirmation_option(prompt="All tickets get new codes; printed ones are void. Go on?")
def withdraw_ticket_keys_command() -> None:
    """Replace all keys at once by a new one, because somebody else may have them.

    Nothing has to be restarted; all tickets have new codes within half a minute.
    """
    settings = Settings.from_env(os.environ)
    key, withdrawn = withdraw_ticket_keys(
        wire(settings).begin, cipher_of(settings.ticket_key_encryption_keys)
    )
    click.echo(f"{SERVICE}: key {key.kid} signs all tickets; withdrawn keys: {withdrawn}")


@cli.command("reencrypt-ticket-keys")
def reencrypt_ticket_keys_command() -> None:
    """Encrypt the stored ticket keys with the first key of TICKET_KEY_ENCRYPTION_KEY.

    Every process must know that key already; afterwards the others can be taken out.
    """
    settings = Settings.from_env(os.environ)
    cipher = cipher_of(settings.ticket_key_encryption_keys)
    try:
        count = reencrypt_ticket_keys(wire(settings).begin, cipher)
    except InvalidToken:
        sys.exit(f"{SERVICE}: no key in TICKET_KEY_ENCRYPTION_KEY opens the stored keys")
    click.echo(f"{SERVICE}: {count} ticket keys are encrypted with the first key")


if __name__ == "__main__":
    cli()

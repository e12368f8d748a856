"""Commands of the identity service: `python -m identity_service.cli`."""

import os
import sys
from pathlib import Path

import click
from cryptography.fernet import InvalidToken

from identity_service.app import openapi
from identity_service.clients.erasure_journal import ErasureJournal
from identity_service.domain.deletion_links import DeletionLinks
from identity_service.domain.errors import AnotherErasureKey, RotationUnderWay, UnknownPerson
from identity_service.domain.service_clients import GRANTS
from identity_service.repositories.keyring import cipher_of
from identity_service.repositories.transaction import Begin
from identity_service.seed import seed_clients, seed_people
from identity_service.settings import ClientSettings, KeySettings, ReplaySettings, Settings
from identity_service.usecases.reencrypt_keys import reencrypt_keys
from identity_service.usecases.replay_deletions import replay_deletions
from identity_service.usecases.require_known_key import require_known_key
from identity_service.usecases.reset_admin_password import reset_admin_password
from identity_service.usecases.rotate_keys import rotate_keys
from identity_service.usecases.send_standings_again import send_standings_again
from identity_service.wiring import SERVICE, holder_clients, transactions_on, wire
from service_kit.cli import ServiceTools, service_cli
from service_kit.database import connect_to
from service_kit.durable import migrate_workflows, workflow_schema
from service_kit.openapi import instant
from service_kit.peers import PeerUnavailable
from service_kit.person_hashes import PersonHashes
from service_kit.settings import DEVELOPMENT, reading

FOLDER = Path(__file__).parents[2]


def _after_migrating(owner_url: str) -> None:
    migrate_workflows(owner_url, workflow_schema(SERVICE), SERVICE)


cli = service_cli(
    ServiceTools(schema=SERVICE, folder=FOLDER, openapi=openapi, after_migrating=_after_migrating)
)


@cli.command("seed")
def seed_command() -> None:
    """Make the service clients known and, for development, the people to sign in as."""
    settings = Settings.from_env(os.environ)
    if settings.env != DEVELOPMENT:
        sys.exit(f"{SERVICE}: people are seeded with ENV=development only; see seed-clients")
    use = wire(settings)
    clients = seed_clients(use.begin, ClientSettings.from_env(os.environ, GRANTS).secrets)
    click.echo(f"{SERVICE}: {seed_people(use.begin, use.policy)}, {clients}")


@cli.command("seed-clients")
def seed_clients_command() -> None:
    """Make the service clients known, with the secrets of <CLIENT>_CLIENT_SECRET.

    Repeated with a new secret, it leaves the one before valid until the next change.
    """
    settings = ClientSettings.from_env(os.environ, GRANTS)
    begin = _transactions_at(settings.database_url)
    click.echo(f"{SERVICE}: {seed_clients(begin, settings.secrets)}")


@cli.command("rotate-keys")
def rotate_keys_command() -> None:
    """Publish a new signing key; in some minutes it signs, and the one before ends after that.

    Nothing has to be restarted; no token becomes invalid before it expires.
    """
    settings = KeySettings.from_env(os.environ)
    begin = _transactions_at(settings.database_url)
    try:
        done = rotate_keys(begin, cipher_of(settings.key_encryption_keys))
    except RotationUnderWay as refusal:
        sys.exit(f"{SERVICE}: {refusal.__doc__}")
    click.echo(
        f"{SERVICE}: key {done.kid} signs from {instant(done.signs_from)}; "
        f"{done.older_keys} older end at {instant(done.older_keys_end)}"
    )


@cli.command("reencrypt-keys")
def reencrypt_keys_command() -> None:
    """Encrypt the stored signing keys with the first key of KEY_ENCRYPTION_KEY.

    Every process must know that key already; afterwards the others can be taken out.
    """
    settings = KeySettings.from_env(os.environ)
    cipher = cipher_of(settings.key_encryption_keys)
    try:
        count = reencrypt_keys(_transactions_at(settings.database_url), cipher)
    except InvalidToken:
        sys.exit(f"{SERVICE}: no key in KEY_ENCRYPTION_KEY opens the stored keys")
    click.echo(f"{SERVICE}: {count} signing keys are encrypted with the first key")


@cli.command("reset-admin-password")
@click.argument("email")
def reset_admin_password_command(email: str) -> None:
    """Let an administrator who forgot the password choose another one.

    All sessions of hers end, so that only who can sign in at the provider can choose it.
    """
    with reading(os.environ) as env:
        begin = _transactions_at(env.url("DATABASE_URL"))
    try:
        count = reset_admin_password(begin, email=email)
    except UnknownPerson:
        sys.exit(f"{SERVICE}: {email} is no administrator")
    click.echo(f"{SERVICE}: passwords reset: {count}; the next sign-in asks for a new one")


@cli.command("send-standings")
def send_standings_command() -> None:
    """Tell booking and catalog again which creators' shows may be on sale, and which may not.

    For when a database has gone back to a backup; harmless at any time. The worker tells them.
    """
    with reading(os.environ) as env:
        begin = _transactions_at(env.url("DATABASE_URL"))
    click.echo(f"{SERVICE}: {send_standings_again(begin)} standings are told again")


@cli.command("replay-deletions")
def replay_deletions_command() -> None:
    """Delete again whom a restored backup has brought back, in whichever service.

    Goes by the journal in ERASURE_JOURNAL; the worker does the work. Harmless at any time.
    """
    settings = ReplaySettings.from_env(os.environ)
    begin, hashes = _transactions_at(settings.database_url), PersonHashes(settings.erasure_key)
    try:
        require_known_key(begin, hashes)
        count = replay_deletions(
            begin,
            ErasureJournal(settings.erasure_journal),
            hashes,
            DeletionLinks(settings.erasure_key),
            holder_clients(settings.holders),
        )
    except AnotherErasureKey:
        sys.exit(f"{SERVICE}: put ERASURE_KEY back to what it was. Nothing was begun.")
    except PeerUnavailable as error:
        sys.exit(f"{SERVICE}: {error}; every service must run. Nothing was begun, try again.")
    click.echo(f"{SERVICE}: {count} people are deleted again")


def _transactions_at(database_url: str) -> Begin:
    return transactions_on(connect_to(database_url, application=SERVICE))


if __name__ == "__main__":
    cli()

"""Commands of the catalog: `python -m catalog_service.cli`."""

import os
import sys
from pathlib import Path
from uuid import UUID

import click

from catalog_service.app import openapi
from catalog_service.domain.errors import ShowNotFound
from catalog_service.seed import SeedFailed, move_ended_show, seed
from catalog_service.settings import Settings
from catalog_service.usecases.cancel_unknown_show import ShowKnown, cancel_unknown_show
from catalog_service.usecases.send_offers import send_offers
from catalog_service.wiring import SERVICE, wire
from service_kit.cli import ServiceTools, service_cli
from service_kit.durable import migrate_workflows, workflow_schema
from service_kit.peers import PeerUnavailable

FOLDER = Path(__file__).parents[2]


def _after_migrating(owner_url: str) -> None:
    migrate_workflows(owner_url, workflow_schema(SERVICE), SERVICE)


cli = service_cli(
    ServiceTools(schema=SERVICE, folder=FOLDER, openapi=openapi, after_migrating=_after_migrating)
)


@cli.command("seed")
@click.option("--after-sales", is_flag=True, help="move the ended show to yesterday evening")
def seed_command(after_sales: bool) -> None:
    """Create a season of shows in Hyderabad, for development only."""
    settings = Settings.from_env(os.environ)
    if not settings.is_development:
        sys.exit(f"{SERVICE}: demonstration data needs ENV=development")
    try:
        click.echo(f"{SERVICE}: {(move_ended_show if after_sales else seed)(wire(settings))}")
    except SeedFailed as failure:
        sys.exit(f"{SERVICE}: {failure}")


@cli.command("send-offers")
def send_offers_command() -> None:
    """Tell booking again what every show is like, and what is no show any more.

    For when one of the two databases has gone back to a backup; harmless at any time.
    """
    use = wire(Settings.from_env(os.environ))
    try:
        sent = send_offers(use.begin, use.read, use.offers)
    except PeerUnavailable as error:
        sys.exit(f"{SERVICE}: {error}; booking and identity must run. Try again.")
    for show_id, refusal in sent.refused.items():
        click.echo(f"{SERVICE}: show {show_id}: {refusal.code}: {refusal.text}", err=True)
    click.echo(
        f"{SERVICE}: booking knows {sent.told} shows as they are; {sent.withdrawn} unknown ones "
        f"are withdrawn; {len(sent.refused)} were refused"
    )
    if sent.refused:
        sys.exit(1)


@cli.command("cancel-unknown-show")
@click.argument("show_id", type=click.UUID)
@click.option("--by", type=click.UUID, required=True, help="id of the ADMIN who decides it")
@click.option("--reason", required=True, help="what its buyers are told")
@click.confirmation_option(prompt="The sale ends for ever, all buyers are paid back. Go on?")
def cancel_unknown_show_command(show_id: UUID, by: UUID, reason: str) -> None:
    """Cancel a show that booking sells and catalog does not know.

    For when catalog has gone back to a backup from before the show: `send-offers` names it with
    HAS_BOOKINGS.
    """
    use = wire(Settings.from_env(os.environ))
    try:
        refusal = cancel_unknown_show(
            use.read, use.offers, show_id=show_id, reason=reason, actor_id=by
        )
    except (ShowKnown, ShowNotFound) as error:
        sys.exit(f"{SERVICE}: {error}")
    except PeerUnavailable as error:
        sys.exit(f"{SERVICE}: {error}; booking and identity must run. Try again.")
    if refusal is not None:
        sys.exit(f"{SERVICE}: show {show_id}: {refusal.code}: {refusal.text}")
    click.echo(f"{SERVICE}: show {show_id} is cancelled; booking pays its buyers back")


if __name__ == "__main__":
    cli()

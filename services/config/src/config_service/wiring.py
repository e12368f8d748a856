"""Composition root: builds what the routes need from the settings."""

from dataclasses import dataclass
from functools import partial

from sqlalchemy import Engine, text

from config_service.models import RateCountRow
from config_service.repositories.transaction import Begin, Transaction
from config_service.settings import Settings
from service_kit.database import connect_to, reads, transactions
from service_kit.person_hashes import PersonHashes
from service_kit.rate_limits import RateLimits
from service_kit.shared_counts import SharedCounts
from service_kit.tokens import Jwks, TokenVerifier

SERVICE = "config"


@dataclass(frozen=True, slots=True)
class Wiring:
    """The collaborators of the routes."""

    engine: Engine
    begin: Begin
    read: Begin
    verifier: TokenVerifier
    rates: RateLimits
    hashes: PersonHashes

    def ready(self) -> None:
        """Raise if the database cannot be reached."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1 FROM config.setting_version LIMIT 1"))


def wire(settings: Settings) -> Wiring:
    """Build the collaborators; nothing is connected yet."""
    engine = connect_to(settings.database_url, application=SERVICE)
    hashes = PersonHashes(settings.erasure_key)
    repositories = partial(Transaction, hashes=hashes)
    keys = Jwks(f"{settings.identity_url}/.well-known/jwks.json")
    return Wiring(
        engine=engine,
        begin=transactions(engine, repositories),
        read=reads(engine, repositories),
        verifier=TokenVerifier(keys, issuer=settings.jwt_issuer, service=SERVICE),
        rates=RateLimits(
            SharedCounts(engine, RateCountRow, secret=settings.erasure_key),
            times=settings.rate_limit_times,
        ),
        hashes=hashes,
    )

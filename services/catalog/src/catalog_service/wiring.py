"""Composition root: builds what routes and workers need from the settings."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Engine, text

from catalog_service.clients.booking import (
    BOOKING,
    AvailabilityClient,
    CancellationClient,
    DisbursementClient,
    OfferClient,
    SalesClient,
)
from catalog_service.clients.identity import IDENTITY, ContactClient, PeopleClient
from catalog_service.clients.images import ImageConverter
from catalog_service.clients.storage import LocalDirectory, Storage
from catalog_service.models import RateCountRow
from catalog_service.repositories.transaction import Begin, Transaction
from catalog_service.repositories.work import DECIDE_CHANGE, MIRROR_OFFER
from catalog_service.settings import LocalMedia, S3Media, Settings, WorkerSettings
from catalog_service.workflows.offers import VERSION, OfferWorkflows
from service_kit.database import connect_to, reads, transactions
from service_kit.durable import DurableWorker, WorkQueue
from service_kit.peers import Peer
from service_kit.person_hashes import PersonHashes
from service_kit.rate_limits import RateLimits
from service_kit.service_tokens import ServiceTokens
from service_kit.shared_counts import SharedCounts
from service_kit.tokens import Jwks, TokenVerifier

SERVICE = "catalog"

FIGURES_SECONDS = 1.0  # a page is served without a peer's figures rather than late


@dataclass(frozen=True, slots=True)
class Wiring:
    """The collaborators of routes and workflows."""

    engine: Engine
    begin: Begin
    read: Begin
    verifier: TokenVerifier
    rates: RateLimits
    hashes: PersonHashes
    people: PeopleClient
    contacts: ContactClient
    availability: AvailabilityClient
    sales: SalesClient
    offers: OfferClient
    cancellations: CancellationClient
    disbursements: DisbursementClient
    images: ImageConverter
    storage: Storage

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC)

    def ready(self) -> None:
        """Raise if the database cannot be reached."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1 FROM catalog.show LIMIT 1"))


def wire(settings: Settings) -> Wiring:
    """Build the collaborators; nothing is connected yet."""
    engine = connect_to(settings.database_url, application=SERVICE)
    hashes = PersonHashes(settings.erasure_key)
    queue = WorkQueue(engine, service=SERVICE)
    repositories = partial(Transaction, queue=queue, hashes=hashes)
    keys = Jwks(f"{settings.identity_url}/.well-known/jwks.json")
    tokens = ServiceTokens(
        f"{settings.identity_url}/oauth/token",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
    )
    # One peer each for figures and for offers: a slow page must not keep offers from being sent.
    figures = Peer(BOOKING, settings.booking_url, tokens, timeout=FIGURES_SECONDS)
    names = Peer(IDENTITY, settings.identity_url, tokens, timeout=FIGURES_SECONDS)
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
        people=PeopleClient(names),
        contacts=ContactClient(names),
        availability=AvailabilityClient(figures),
        sales=SalesClient(figures),
        offers=OfferClient(Peer(BOOKING, settings.booking_url, tokens)),
        cancellations=CancellationClient(figures),
        disbursements=DisbursementClient(Peer(BOOKING, settings.booking_url, tokens)),
        images=ImageConverter(),
        storage=_storage(settings.media),
    )


def _storage(settings: LocalMedia | S3Media) -> Storage:
    if isinstance(settings, LocalMedia):
        return LocalDirectory(settings.folder)
    # imported only where it is used: it is large, and most processes do without it
    from catalog_service.clients.s3 import S3Bucket

    return S3Bucket(settings)


def durable_worker(wiring: Wiring, settings: Settings, worker: WorkerSettings) -> DurableWorker:
    """Return the worker that does this service's durable work."""
    offers = OfferWorkflows(wiring.begin, wiring.read, wiring.offers)
    return DurableWorker(
        settings.database_url,
        service=SERVICE,
        worker_id=worker.worker_id,
        version=VERSION,
        workflows={DECIDE_CHANGE: offers.decide_change, MIRROR_OFFER: offers.mirror_offer},
    )

"""Composition root: builds what routes and the worker need from the settings."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import Engine, text

from booking_service.clients.config import ConfigClient
from booking_service.clients.identity import IdentityClient
from booking_service.clients.payments import NoProvider
from booking_service.clients.people import PeopleClient
from booking_service.clients.razorpay import Razorpay
from booking_service.domain.bookings import Payments
from booking_service.models import RateCountRow
from booking_service.repositories.box_office import BATCHES_AT_ONCE, BoxOffice
from booking_service.repositories.fee_schedules import CurrentFees
from booking_service.repositories.platform_settings import CurrentRules
from booking_service.repositories.ticket_keyring import TicketKeyring, cipher_of
from booking_service.repositories.transaction import Begin, Transaction
from booking_service.repositories.work import (
    CANCEL_BOOKINGS,
    HANDLE_NEWS,
    MAIL,
    SEND_NOTICES,
    SEND_REFUND,
)
from booking_service.settings import (
    RECONCILE_AFTER_SECONDS,
    PaymentSettings,
    Settings,
    WorkerSettings,
)
from booking_service.usecases.desk import Desk
from booking_service.workflows.cancellations import CancellationWorkflows
from booking_service.workflows.notices import NoticeWorkflows
from booking_service.workflows.payments import PaymentWorkflows
from service_kit.database import connect_for_single_statements, connect_to, reads, transactions
from service_kit.durable import DurableWorker, WorkQueue
from service_kit.mail import Post
from service_kit.peers import Peer
from service_kit.person_hashes import PersonHashes
from service_kit.rate_limits import RateLimits
from service_kit.service_tokens import ServiceTokens
from service_kit.shared_counts import SharedCounts
from service_kit.tokens import Jwks, TokenVerifier

SERVICE = "booking"
WORK_VERSION = "1"  # raise it when the steps of a workflow change
SALES_CONNECTIONS = BATCHES_AT_ONCE + 2  # the others read terms


@dataclass(frozen=True, slots=True)
class Wiring:
    """The collaborators of routes and worker."""

    engine: Engine
    sales_engine: Engine  # connections of its own: sales wait for no page
    begin: Begin
    read: Begin
    box_office: BoxOffice
    fees: CurrentFees
    rules: CurrentRules
    config: ConfigClient
    identity: IdentityClient
    payments: Payments  # how new bookings are paid
    desk: Desk
    ticket_keys: TicketKeyring
    people: PeopleClient
    person_hashes: PersonHashes
    verifier: TokenVerifier
    rates: RateLimits

    def ready(self) -> None:
        """Raise if the database cannot be reached, or a ticket key cannot be opened."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1 FROM booking.ticket_inventory LIMIT 1"))
        self.ticket_keys.require_openable()


def wire(settings: Settings) -> Wiring:
    """Build the collaborators; nothing is connected yet."""
    engine = connect_to(settings.database_url, application=SERVICE)
    sales_engine = connect_for_single_statements(
        settings.database_url, application=f"{SERVICE} sales", pool_size=SALES_CONNECTIONS
    )
    hashes = PersonHashes(settings.erasure_key)
    queue = WorkQueue(engine, service=SERVICE)
    repositories = partial(Transaction, queue=queue, hashes=hashes)
    begin, read = transactions(engine, repositories), reads(engine, repositories)
    rules = CurrentRules(read)
    tokens = ServiceTokens(
        f"{settings.identity_url}/oauth/token",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
    )
    identity = Peer("identity", settings.identity_url, tokens)
    keys = Jwks(f"{settings.identity_url}/.well-known/jwks.json")
    return Wiring(
        engine=engine,
        sales_engine=sales_engine,
        begin=begin,
        box_office=BoxOffice(sales_engine, read, hashes),
        read=read,
        fees=CurrentFees(read),
        rules=rules,
        config=ConfigClient(Peer("config", settings.config_url, tokens)),
        payments=Payments.ONLINE if settings.payments else Payments.AT_VENUE,
        desk=_desk(begin, rules, settings.payments),
        ticket_keys=TicketKeyring(begin, cipher_of(settings.ticket_key_encryption_keys)),
        identity=IdentityClient(identity),
        people=PeopleClient(identity),
        person_hashes=hashes,
        verifier=TokenVerifier(keys, issuer=settings.jwt_issuer, service=SERVICE),
        rates=RateLimits(
            SharedCounts(engine, RateCountRow, secret=settings.erasure_key),
            times=settings.rate_limit_times,
        ),
    )


def _desk(begin: Begin, rules: CurrentRules, settings: PaymentSettings | None) -> Desk:
    if settings is None:
        return Desk(begin, NoProvider(), rules, timedelta(seconds=RECONCILE_AFTER_SECONDS))
    provider = Razorpay(settings.keys, base_url=settings.base_url)
    return Desk(begin, provider, rules, timedelta(seconds=settings.reconcile_after_seconds))


def durable_worker(wiring: Wiring, settings: Settings, worker: WorkerSettings) -> DurableWorker:
    """Return the worker that does this service's durable work."""
    cancellations = CancellationWorkflows(wiring.begin)
    payments = PaymentWorkflows(wiring.desk)
    notices = NoticeWorkflows(wiring.begin, wiring.people, Post("booking_service", worker.mail))
    return DurableWorker(
        settings.database_url,
        service=SERVICE,
        worker_id=worker.worker_id,
        version=WORK_VERSION,
        workflows={
            CANCEL_BOOKINGS: cancellations.cancel_bookings,
            HANDLE_NEWS: payments.handle_news,
            SEND_REFUND: payments.send_refund,
            SEND_NOTICES: notices.send_notices,
        },
        unhurried=(MAIL,),
    )

"""Composition root: builds what the routes need from the settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from identity_service.clients.erasure_journal import ErasureJournal
from identity_service.clients.export import ExportClient
from identity_service.clients.holders import HolderClient
from identity_service.clients.openid_provider import OpenIdProvider
from identity_service.clients.standing import StandingClient
from identity_service.domain.deletion_links import DeletionLinks
from identity_service.domain.deletions import OWN
from identity_service.domain.sign_in import SignInPolicy
from identity_service.domain.standing import RECEIVERS
from identity_service.models import RateCountRow
from identity_service.repositories.keyring import Keyring, cipher_of
from identity_service.repositories.live_credentials import LOOKUPS_AT_ONCE, LiveCredentials
from identity_service.repositories.transaction import Begin, Transaction
from identity_service.repositories.work import (
    DELETE_ACCOUNT,
    DELETIONS,
    MAIL,
    SEND_STANDING,
    TELL_CREATOR,
)
from identity_service.settings import PeerSettings, Settings, WorkerSettings
from identity_service.usecases.delete_account import OwnHolder
from identity_service.usecases.issue_user_token import UserTokens
from identity_service.usecases.require_known_key import require_known_key
from identity_service.workflows.decisions import DecisionWorkflows
from identity_service.workflows.deletions import DeletionWorkflows
from identity_service.workflows.standings import StandingWorkflows
from identity_service.workflows.version import VERSION
from service_kit.database import connect_for_single_statements, connect_to, reads, transactions
from service_kit.durable import DurableWorker, WorkQueue
from service_kit.mail import Post
from service_kit.peers import Peer
from service_kit.person_hashes import PersonHashes
from service_kit.rate_limits import RateLimits
from service_kit.service_tokens import ServiceTokens
from service_kit.shared_counts import SharedCounts
from service_kit.tokens import TokenVerifier

SERVICE = "identity"
EXCHANGE_CONNECTIONS = 2 * LOOKUPS_AT_ONCE + 2  # the others note that credentials are used
CALLBACK_PATH = "/api/auth/callback/google"

STANDING_SECONDS = 3.0
EXPORT_SECONDS = 5.0  # a service may have much to tell; the request itself has 10
PURGE_SECONDS = 8.0  # a service does what it can in about 2 s, then it is asked again
QUEUE_POLL_SECONDS = 0.5  # whoever wants to be deleted waits so long; a standing has 10 s


@dataclass(frozen=True, slots=True)
class Wiring:
    """The collaborators of the routes."""

    settings: Settings
    engine: Engine
    exchange_engine: Engine  # connections of its own: pages do not wait behind long transactions
    begin: Begin
    read: Begin
    policy: SignInPolicy
    provider: OpenIdProvider
    holders: Mapping[str, ExportClient]  # of personal data
    live_credentials: LiveCredentials
    keyring: Keyring
    user_tokens: UserTokens
    verifier: TokenVerifier
    rates: RateLimits
    person_hashes: PersonHashes
    deletion_links: DeletionLinks

    def ready(self) -> None:
        """Raise if there is no database or no key to sign with, or another ERASURE_KEY."""
        self.keyring.jwks()
        with self.read() as tx:
            tx.signing_keys.published()
        require_known_key(self.begin, self.person_hashes)


def sign_in_policy(settings: Settings) -> SignInPolicy:
    """Return who may be what, and for how long."""
    return SignInPolicy(
        provider=settings.oidc_provider,
        admin_emails=settings.admin_emails,
        idle=settings.session_idle,
        absolute=settings.session_absolute,
    )


def transactions_on(engine: Engine) -> Begin:
    """Return `begin` on a database of this service."""
    return transactions(engine, _repositories(engine))


def wire(settings: Settings) -> Wiring:
    """Build the collaborators; nothing is connected yet."""
    engine = connect_to(settings.database_url, application=SERVICE)
    exchange_engine = connect_for_single_statements(
        settings.database_url, application=f"{SERVICE} exchange", pool_size=EXCHANGE_CONNECTIONS
    )
    begin = transactions_on(engine)
    keyring = Keyring(
        begin,
        cipher_of(settings.key_encryption_keys),
        refresh_seconds=settings.key_refresh.total_seconds(),
    )
    return Wiring(
        settings=settings,
        engine=engine,
        exchange_engine=exchange_engine,
        begin=begin,
        read=reads(engine, _repositories(engine)),
        policy=sign_in_policy(settings),
        provider=OpenIdProvider(
            settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            redirect_uri=settings.public_url + CALLBACK_PATH,
        ),
        holders={
            name: ExportClient(name, peer)
            for name, peer in _peers(settings.holders, timeout=EXPORT_SECONDS).items()
        },
        live_credentials=LiveCredentials(exchange_engine, idle=settings.session_idle),
        keyring=keyring,
        user_tokens=UserTokens(keyring, issuer=settings.jwt_issuer),
        verifier=TokenVerifier(keyring.public_keys, issuer=settings.jwt_issuer, service=SERVICE),
        rates=RateLimits(
            SharedCounts(engine, RateCountRow, secret=settings.erasure_key),
            times=settings.rate_limit_times,
        ),
        person_hashes=PersonHashes(settings.erasure_key),
        deletion_links=DeletionLinks(settings.erasure_key),
    )


def durable_worker(begin: Begin, settings: WorkerSettings) -> DurableWorker:
    """Return the worker that does this service's durable work."""
    peers = _peers(settings.holders, timeout=STANDING_SECONDS)
    receivers = {name: StandingClient(name, peers[name]) for name in RECEIVERS}
    standings = StandingWorkflows(begin, receivers)
    post = Post("identity_service", settings.mail)
    deletions = DeletionWorkflows(
        begin,
        {OWN: OwnHolder(begin), **holder_clients(settings.holders)},
        ErasureJournal(settings.erasure_journal),
        post,
    )
    return DurableWorker(
        settings.database_url,
        service=SERVICE,
        worker_id=settings.worker_id,
        version=VERSION,
        workflows={
            SEND_STANDING: standings.send_standing,
            DELETE_ACCOUNT: deletions.delete_account,
            TELL_CREATOR: DecisionWorkflows(begin, post).tell_creator,
        },
        queues=(*receivers, DELETIONS),
        unhurried=(MAIL,),
        poll_seconds=QUEUE_POLL_SECONDS,
    )


def holder_clients(settings: PeerSettings) -> dict[str, HolderClient]:
    """Return the other services as holders of what a deletion removes."""
    return {
        name: HolderClient(name, peer)
        for name, peer in _peers(settings, timeout=PURGE_SECONDS).items()
    }


def work_queue(engine: Engine) -> WorkQueue:
    """Return the queue of this service's durable work."""
    return WorkQueue(engine, service=SERVICE)


def _peers(settings: PeerSettings, *, timeout: float) -> dict[str, Peer]:
    tokens = ServiceTokens(
        settings.token_url, client_id=settings.client_id, client_secret=settings.client_secret
    )
    return {name: Peer(name, url, tokens, timeout=timeout) for name, url in settings.urls.items()}


def _repositories(engine: Engine) -> Callable[[Session], Transaction]:
    return partial(Transaction, queue=work_queue(engine))

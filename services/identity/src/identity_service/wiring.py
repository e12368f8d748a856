"""Composition root: builds what the routes need from the settings."""

from dataclasses import dataclass

from cryptography.fernet import Fernet
from sqlalchemy import Engine

from identity_service.clients.openid_provider import OpenIdProvider
from identity_service.domain.sign_in import SignInPolicy
from identity_service.repositories.keyring import Keyring
from identity_service.repositories.live_credentials import LiveCredentials
from identity_service.repositories.transaction import Begin, Transaction
from identity_service.settings import Settings
from identity_service.usecases.issue_user_token import UserTokens
from service_kit.database import connect_for_single_statements, connect_to, reads, transactions
from service_kit.tokens import TokenVerifier

SERVICE = "identity"
EXCHANGE_CONNECTIONS = 6
CALLBACK_PATH = "/api/auth/callback/google"


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
    live_credentials: LiveCredentials
    keyring: Keyring
    user_tokens: UserTokens
    verifier: TokenVerifier

    def ready(self) -> None:
        """Raise if there is no database or no key to sign with."""
        self.keyring.jwks()
        with self.read() as tx:
            tx.signing_keys.published()


def sign_in_policy(settings: Settings) -> SignInPolicy:
    """Return who may be what, and for how long."""
    return SignInPolicy(
        provider=settings.oidc_provider,
        admin_emails=settings.admin_emails,
        idle=settings.session_idle,
        absolute=settings.session_absolute,
    )


def wire(settings: Settings) -> Wiring:
    """Build the collaborators; nothing is connected yet."""
    engine = connect_to(settings.database_url, application=SERVICE)
    exchange_engine = connect_for_single_statements(
        settings.database_url, application=f"{SERVICE} exchange", pool_size=EXCHANGE_CONNECTIONS
    )
    begin = transactions(engine, Transaction)
    keyring = Keyring(begin, Fernet(settings.key_encryption_key))
    return Wiring(
        settings=settings,
        engine=engine,
        exchange_engine=exchange_engine,
        begin=begin,
        read=reads(engine, Transaction),
        policy=sign_in_policy(settings),
        provider=OpenIdProvider(
            settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            redirect_uri=settings.public_url + CALLBACK_PATH,
        ),
        live_credentials=LiveCredentials(exchange_engine, idle=settings.session_idle),
        keyring=keyring,
        user_tokens=UserTokens(keyring, issuer=settings.jwt_issuer),
        verifier=TokenVerifier(keyring.public_keys, issuer=settings.jwt_issuer, service=SERVICE),
    )

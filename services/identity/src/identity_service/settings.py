"""The settings of the identity service, all from the environment."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from identity_service.domain.redirects import origin_of
from service_kit.durable import default_worker_id
from service_kit.mail import MailSettings
from service_kit.settings import DEVELOPMENT, PRODUCTION, EnvironmentReader, reading

DEVELOPMENT_PROVIDER = "development"
HOLDERS = ("catalog", "booking", "config")  # of personal data, besides this service
MAX_KEY_REFRESH_SECONDS = 30
_FERNET_KEY = re.compile("[A-Za-z0-9_-]{43}=")
LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """Where the other services are, and as whom this one calls them."""

    token_url: str
    client_id: str
    client_secret: str
    urls: Mapping[str, str]  # by service

    @classmethod
    def read(cls, env: EnvironmentReader, services: Iterable[str]) -> "PeerSettings":
        """Read the environment; what is wrong is noted in `env`."""
        return cls(
            token_url=f"{env.url('IDENTITY_URL')}/oauth/token",
            client_id=env.text("SERVICE_CLIENT_ID"),
            client_secret=env.secret("SERVICE_CLIENT_SECRET"),
            urls={name: env.url(f"{name.upper()}_URL") for name in services},
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """What the process needs to know; nothing has a secret default."""

    env: str
    log_level: str
    database_url: str
    public_url: str
    jwt_issuer: str
    oidc_provider: str
    oidc_issuer: str
    oidc_client_id: str
    oidc_client_secret: str
    admin_emails: frozenset[str]
    allowed_origins: frozenset[str]
    session_idle: timedelta
    session_absolute: timedelta
    key_encryption_keys: tuple[str, ...]  # the first one encrypts
    key_refresh: timedelta  # how long a process goes on without looking for new signing keys
    csrf_secret: str
    holders: PeerSettings  # of personal data
    erasure_key: (
        str  # of the hashes by which deleted people are remembered, and of deletions' links
    )
    rate_limit_times: int = 1  # all limits are that many times as high

    @property
    def secure(self) -> bool:
        """Whether browsers reach the platform over https."""
        return self.public_url.startswith("https:")

    @property
    def origins(self) -> frozenset[str]:
        """The origins of the front end: the platform's own and those allowed besides."""
        return self.allowed_origins | {origin_of(self.public_url) or self.public_url}

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the environment.

        Raises:
            SettingsError: names every variable that is missing or wrong.
        """
        with reading(environ) as env:
            settings = cls(
                env=env.choice("ENV", (DEVELOPMENT, PRODUCTION), PRODUCTION),
                log_level=env.text("LOG_LEVEL", "INFO"),
                database_url=env.url("DATABASE_URL"),
                public_url=env.url("PUBLIC_URL"),
                jwt_issuer=env.url("JWT_ISSUER"),
                oidc_provider=env.text("OIDC_PROVIDER"),
                oidc_issuer=env.url("OIDC_ISSUER"),
                oidc_client_id=env.text("OIDC_CLIENT_ID"),
                oidc_client_secret=env.secret("OIDC_CLIENT_SECRET"),
                admin_emails=_words(env.text("ADMIN_EMAILS", "").lower()),
                allowed_origins=_origins(env, env.text("ALLOWED_ORIGINS", "")),
                session_idle=timedelta(hours=env.integer("SESSION_IDLE_HOURS", 168, at_least=1)),
                session_absolute=timedelta(
                    hours=env.integer("SESSION_ABSOLUTE_HOURS", 720, at_least=1)
                ),
                key_encryption_keys=_fernet_keys(env, "KEY_ENCRYPTION_KEY"),
                key_refresh=_key_refresh(env),
                csrf_secret=env.secret("CSRF_SECRET"),
                holders=PeerSettings.read(env, HOLDERS),
                erasure_key=env.secret("ERASURE_KEY"),
                rate_limit_times=env.integer("RATE_LIMIT_TIMES", 1, at_least=1),
            )
            _check_addresses(env, settings)
        return settings


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What the worker process needs to know: it holds no key and no secret of the sign-in."""

    log_level: str
    database_url: str
    port: int
    worker_id: str  # unique among the workers of this service, the same after a restart
    holders: PeerSettings  # of personal data; some of them are told creators' standings
    erasure_journal: Path
    mail: MailSettings

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "WorkerSettings":
        """Read the environment.

        Raises:
            SettingsError: names every variable that is missing or wrong.
        """
        with reading(environ) as env:
            mode = env.choice("ENV", (DEVELOPMENT, PRODUCTION), PRODUCTION)
            return cls(
                log_level=env.text("LOG_LEVEL", "INFO"),
                database_url=env.url("DATABASE_URL"),
                port=env.integer("WORKER_PORT", at_least=1),
                worker_id=env.text("WORKER_ID", default_worker_id("identity")),
                holders=PeerSettings.read(env, HOLDERS),
                erasure_journal=Path(env.text("ERASURE_JOURNAL")),
                mail=MailSettings.read(env, development=mode == DEVELOPMENT),
            )


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """What it takes to delete again whom a backup has brought back."""

    database_url: str
    holders: PeerSettings
    erasure_key: str
    erasure_journal: Path

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "ReplaySettings":
        """Read the environment.

        Raises:
            SettingsError: names every variable that is missing or wrong.
        """
        with reading(environ) as env:
            return cls(
                database_url=env.url("DATABASE_URL"),
                holders=PeerSettings.read(env, HOLDERS),
                erasure_key=env.secret("ERASURE_KEY"),
                erasure_journal=Path(env.text("ERASURE_JOURNAL")),
            )


@dataclass(frozen=True, slots=True)
class KeySettings:
    """What it takes to replace the signing key."""

    database_url: str
    key_encryption_keys: tuple[str, ...]  # the first one encrypts

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "KeySettings":
        """Read the environment.

        Raises:
            SettingsError: names every variable that is missing or wrong.
        """
        with reading(environ) as env:
            return cls(
                database_url=env.url("DATABASE_URL"),
                key_encryption_keys=_fernet_keys(env, "KEY_ENCRYPTION_KEY"),
            )


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What it takes to make the services known that fetch tokens."""

    database_url: str
    secrets: Mapping[str, str]  # by client: `<CLIENT>_CLIENT_SECRET`

    @classmethod
    def from_env(cls, environ: Mapping[str, str], clients: Iterable[str]) -> "ClientSettings":
        """Read the environment.

        Raises:
            SettingsError: names every variable that is missing or wrong.
        """
        with reading(environ) as env:
            return cls(
                database_url=env.url("DATABASE_URL"),
                secrets={name: env.secret(f"{name.upper()}_CLIENT_SECRET") for name in clients},
            )


def _check_addresses(env: EnvironmentReader, settings: Settings) -> None:
    """Allow plain http and sign-in as anybody in development only, and there on loopback only."""
    public = urlsplit(settings.public_url)
    if settings.public_url and origin_of(settings.public_url) is None:
        env.problems.append("PUBLIC_URL must be an http or https address")
    elif public.path or public.query or public.fragment:
        env.problems.append("PUBLIC_URL must not have a path")
    if settings.env == DEVELOPMENT:
        if public.scheme == "http" and public.hostname not in LOOPBACK_HOSTS:
            env.problems.append("PUBLIC_URL must be https unless it is a loopback address")
        return
    for name, url in (("PUBLIC_URL", settings.public_url), ("OIDC_ISSUER", settings.oidc_issuer)):
        if url and not url.startswith("https:"):
            env.problems.append(f"{name} must be https outside of development")
    if settings.oidc_provider == DEVELOPMENT_PROVIDER:
        env.problems.append("OIDC_PROVIDER=development signs in anybody: for development only")


def _key_refresh(env: EnvironmentReader) -> timedelta:
    """Return at most what `rotate_keys` reckons with."""
    seconds = env.integer("KEY_REFRESH_SECONDS", MAX_KEY_REFRESH_SECONDS, at_least=1)
    if seconds > MAX_KEY_REFRESH_SECONDS:
        env.problems.append(f"KEY_REFRESH_SECONDS must be at most {MAX_KEY_REFRESH_SECONDS}")
    return timedelta(seconds=seconds)


def _words(raw: str) -> frozenset[str]:
    return frozenset(word for part in raw.split(",") if (word := part.strip()))


def _origins(env: EnvironmentReader, raw: str) -> frozenset[str]:
    asked = frozenset(raw.split())  # by spaces: the gateway reads the same variable
    if any(origin_of(word) != word for word in asked):
        env.problems.append(
            "ALLOWED_ORIGINS must list origins such as https://example.org, separated by spaces"
        )
    return asked


def _fernet_keys(env: EnvironmentReader, name: str) -> tuple[str, ...]:
    raw = env.text(name)
    keys = tuple(key.strip() for key in raw.split(","))
    if raw and not all(map(_FERNET_KEY.fullmatch, keys)):
        env.problems.append(f"{name} must be 32 random bytes in URL-safe base64, or several such")
    return keys

"""The settings of the catalog, all from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service_kit.durable import default_worker_id
from service_kit.settings import DEVELOPMENT, PRODUCTION, EnvironmentReader, reading

DEFAULT_REGION = "us-east-1"  # what stores of one's own expect to be asked for


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """Uploads are kept in a directory that all processes of this service share."""

    folder: Path


@dataclass(frozen=True, slots=True)
class S3Media:
    """Uploads are kept in a bucket; without an endpoint it is one of AWS."""

    bucket: str
    endpoint: str | None
    region: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process needs to know; nothing has a secret default."""

    env: str
    log_level: str
    database_url: str
    identity_url: str
    booking_url: str
    jwt_issuer: str
    client_id: str
    client_secret: str
    erasure_key: str
    media: LocalMedia | S3Media
    rate_limit_times: int = 1  # all limits are that many times as high

    @property
    def is_development(self) -> bool:
        """Whether conveniences such as demonstration data are allowed."""
        return self.env == DEVELOPMENT

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the environment.

        Raises:
            SettingsError: names every variable that is missing or wrong.
        """
        with reading(environ) as env:
            return cls(
                env=env.choice("ENV", (DEVELOPMENT, PRODUCTION), PRODUCTION),
                log_level=env.text("LOG_LEVEL", "INFO"),
                database_url=env.url("DATABASE_URL"),
                identity_url=env.url("IDENTITY_URL"),
                booking_url=env.url("BOOKING_URL"),
                jwt_issuer=env.url("JWT_ISSUER"),
                client_id=env.text("SERVICE_CLIENT_ID"),
                client_secret=env.secret("SERVICE_CLIENT_SECRET"),
                erasure_key=env.secret("ERASURE_KEY"),
                media=_media(env),
                rate_limit_times=env.integer("RATE_LIMIT_TIMES", 1, at_least=1),
            )


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What only a worker needs to know."""

    port: int
    worker_id: str  # unique among the workers of this service, the same after a restart

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "WorkerSettings":
        """Read the environment.

        Raises:
            SettingsError: names every variable that is missing or wrong.
        """
        with reading(environ) as env:
            return cls(
                port=env.integer("WORKER_PORT", at_least=1),
                worker_id=env.text("WORKER_ID", default_worker_id("catalog")),
            )


def _media(env: EnvironmentReader) -> LocalMedia | S3Media:
    if env.choice("MEDIA_STORAGE", ("local", "s3"), "local") != "s3":
        return LocalMedia(Path(env.text("MEDIA_DIR")))
    has_endpoint = bool(env.text("MEDIA_S3_ENDPOINT", ""))
    return S3Media(
        bucket=env.text("MEDIA_S3_BUCKET"),
        endpoint=env.url("MEDIA_S3_ENDPOINT") if has_endpoint else None,
        region=env.text("MEDIA_S3_REGION", DEFAULT_REGION),
    )

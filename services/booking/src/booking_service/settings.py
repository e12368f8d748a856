"""The settings of the booking service, all from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from service_kit.durable import default_worker_id
from service_kit.settings import DEVELOPMENT, PRODUCTION, reading


@dataclass(frozen=True, slots=True)
class Settings:
    """What the processes need to know; nothing has a secret default."""

    env: str
    log_level: str
    database_url: str
    identity_url: str
    config_url: str
    jwt_issuer: str
    client_id: str
    client_secret: str

    @property
    def development(self) -> bool:
        """Whether development conveniences are allowed."""
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
                config_url=env.url("CONFIG_URL"),
                jwt_issuer=env.url("JWT_ISSUER"),
                client_id=env.text("SERVICE_CLIENT_ID", "booking"),
                client_secret=env.secret("SERVICE_CLIENT_SECRET"),
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
                worker_id=env.text("WORKER_ID", default_worker_id("booking")),
            )

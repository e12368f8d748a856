"""The settings of the config service, all from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from service_kit.settings import DEVELOPMENT, PRODUCTION, reading


@dataclass(frozen=True, slots=True)
class Settings:
    """What the process needs to know; nothing has a secret default."""

    env: str
    log_level: str
    database_url: str
    identity_url: str
    jwt_issuer: str
    erasure_key: str
    rate_limit_times: int = 1  # all limits are that many times as high

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
                jwt_issuer=env.url("JWT_ISSUER"),
                erasure_key=env.secret("ERASURE_KEY"),
                rate_limit_times=env.integer("RATE_LIMIT_TIMES", 1, at_least=1),
            )

"""The settings of the booking service, all from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from booking_service.clients.razorpay import PRODUCTION_URL, RazorpayKeys
from service_kit.durable import default_worker_id
from service_kit.mail import MailSettings
from service_kit.settings import DEVELOPMENT, PRODUCTION, EnvironmentReader, reading

ISSUED_SECRET_LENGTH = 20  # Razorpay makes them, of 24 characters
RECONCILE_AFTER_SECONDS = 780  # with what a run takes, within 15 minutes


@dataclass(frozen=True, slots=True)
class PaymentSettings:
    """Who collects the money, and when it is asked about what is still open."""

    keys: RazorpayKeys
    base_url: str
    reconcile_after_seconds: int


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
    ticket_key_encryption_keys: tuple[str, ...]  # the first one encrypts
    erasure_key: str  # under which people who are gone are remembered, the same in every service
    payments: PaymentSettings | None = None  # none: paid at the venue
    rate_limit_times: int = 1  # all limits are that many times as high

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
            mode = env.choice("ENV", (DEVELOPMENT, PRODUCTION), PRODUCTION)
            online = env.choice("PAYMENTS", ("none", "razorpay"), "none") == "razorpay"
            return cls(
                env=mode,
                log_level=env.text("LOG_LEVEL", "INFO"),
                database_url=env.url("DATABASE_URL"),
                identity_url=env.url("IDENTITY_URL"),
                config_url=env.url("CONFIG_URL"),
                jwt_issuer=env.url("JWT_ISSUER"),
                client_id=env.text("SERVICE_CLIENT_ID", "booking"),
                client_secret=env.secret("SERVICE_CLIENT_SECRET"),
                ticket_key_encryption_keys=env.encryption_keys("TICKET_KEY_ENCRYPTION_KEY"),
                erasure_key=env.secret("ERASURE_KEY"),
                payments=_payments(env, mode) if online else None,
                rate_limit_times=env.integer("RATE_LIMIT_TIMES", 1, at_least=1),
            )


def _payments(env: EnvironmentReader, mode: str) -> PaymentSettings:
    base_url = env.url("RAZORPAY_BASE_URL", PRODUCTION_URL)
    if mode != DEVELOPMENT and not base_url.startswith("https://"):
        env.problems.append("RAZORPAY_BASE_URL must be https")
    return PaymentSettings(
        RazorpayKeys(
            key_id=env.text("RAZORPAY_KEY_ID"),
            key_secret=env.secret("RAZORPAY_KEY_SECRET", length=ISSUED_SECRET_LENGTH),
            webhook_secrets=env.secrets("RAZORPAY_WEBHOOK_SECRETS", at_most=2),
        ),
        base_url,
        env.integer("RECONCILE_AFTER_SECONDS", RECONCILE_AFTER_SECONDS, at_least=1),
    )


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What only a worker needs to know."""

    port: int
    worker_id: str  # unique among the workers of this service, the same after a restart
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
                port=env.integer("WORKER_PORT", at_least=1),
                worker_id=env.text("WORKER_ID", default_worker_id("booking")),
                mail=MailSettings.read(env, development=mode == DEVELOPMENT),
            )

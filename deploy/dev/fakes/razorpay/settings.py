"""What the provider needs to know, from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

_REQUIRED = (
    "PORT",
    "RAZORPAY_KEY_ID",
    "RAZORPAY_KEY_SECRET",
    "RAZORPAY_WEBHOOK_SECRET",
    "RAZORPAY_WEBHOOK_URL",
)


class NotAllowedToRun(Exception):
    """The environment does not permit this provider or does not describe it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The provider's address, and the one merchant it knows."""

    bind: str
    port: int
    key_id: str
    key_secret: str
    webhook_secret: str
    webhook_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Read the settings.

        Raises:
            NotAllowedToRun: this is not a development environment, or variables are missing.
        """
        if env.get("ENV") != "development":
            raise NotAllowedToRun(
                "Here everything is paid for nothing: this provider runs with ENV=development only."
            )
        missing = [name for name in _REQUIRED if not env.get(name)]
        if missing:
            raise NotAllowedToRun(f"Missing in the environment: {', '.join(missing)}")
        port = env["PORT"]
        if not port.isdecimal():
            raise NotAllowedToRun(f"PORT is not a number: {port}")
        return cls(
            bind=env.get("BIND") or "127.0.0.1",
            port=int(port),
            key_id=env["RAZORPAY_KEY_ID"],
            key_secret=env["RAZORPAY_KEY_SECRET"],
            webhook_secret=env["RAZORPAY_WEBHOOK_SECRET"],
            webhook_url=env["RAZORPAY_WEBHOOK_URL"],
        )

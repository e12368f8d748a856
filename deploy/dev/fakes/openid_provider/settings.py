"""What the provider needs to know, from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_REQUIRED = ("PORT", "PUBLIC_URL", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OPENID_KEY_FILE")


class NotAllowedToRun(Exception):
    """The environment does not permit this provider or does not describe it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The provider's address and key, and the one client it knows."""

    bind: str
    port: int
    issuer: str
    client_id: str
    client_secret: str
    public_url: str
    key_file: Path

    @property
    def redirect_uri(self) -> str:
        """The only address that codes are sent to."""
        return f"{self.public_url}/api/auth/callback/google"

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Read the settings.

        Raises:
            NotAllowedToRun: this is not a development environment, or variables are missing.
        """
        if env.get("ENV") != "development":
            raise NotAllowedToRun(
                "Here anybody signs in as anybody: this provider runs with ENV=development only."
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
            issuer=(env.get("OPENID_ISSUER") or f"http://localhost:{port}").rstrip("/"),
            client_id=env["OIDC_CLIENT_ID"],
            client_secret=env["OIDC_CLIENT_SECRET"],
            public_url=env["PUBLIC_URL"].rstrip("/"),
            key_file=Path(env["OPENID_KEY_FILE"]),
        )

"""Giving a service the token for its calls to another one."""

import time

from identity_service.repositories.keyring import Keyring
from service_kit.tokens import SERVICE_TYPE

LIFETIME_SECONDS = 600


def issue_service_token(
    keyring: Keyring, *, issuer: str, client_id: str, audience: str, scopes: frozenset[str]
) -> str:
    """Return a token with which the client may do this, and only this, at one service.

    That the client may have it is checked before (`ServiceClient.may`).
    """
    now = int(time.time())
    return keyring.sign(
        SERVICE_TYPE,
        {
            "iss": issuer,
            "aud": audience,
            "sub": client_id,
            "scope": " ".join(sorted(scopes)),
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
        },
    )

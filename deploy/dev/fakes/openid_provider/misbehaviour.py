"""Ways in which a provider can be wrong, so that tests can see a client refuse each of them."""

import base64
import json
import threading
import time
from enum import StrEnum
from typing import Any

from joserfc import jwt

from fakes.openid_provider.keys import ALGORITHM, SigningKeys, make_key


class Misbehaviour(StrEnum):
    """What is wrong with a sign-in."""

    WRONG_NONCE = "wrong_nonce"
    WRONG_ISSUER = "wrong_issuer"
    WRONG_AUDIENCE = "wrong_audience"
    EXPIRED = "expired"
    EMAIL_UNVERIFIED = "email_unverified"
    FOREIGN_KEY = "foreign_key"  # signed by somebody else under our key's id
    UNSIGNED = "unsigned"  # alg=none
    TOKEN_ENDPOINT_FAILS = "token_endpoint_fails"  # noqa: S105 - the name of a fault


_SPOILT_CLAIMS: dict[Misbehaviour, dict[str, Any]] = {
    Misbehaviour.WRONG_NONCE: {"nonce": "somebody-elses"},
    Misbehaviour.WRONG_ISSUER: {"iss": "https://accounts.evil.example"},
    Misbehaviour.WRONG_AUDIENCE: {"aud": "another-client"},
}
_A_DAY_SECONDS = 24 * 60 * 60


class NextSignIn:
    """What will be wrong with the next sign-in, and only with that one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.misbehaviour: Misbehaviour | None = None

    def take(self) -> Misbehaviour | None:
        """Return it, once."""
        with self._lock:
            taken, self.misbehaviour = self.misbehaviour, None
            return taken


def spoil(id_token: str, misbehaviour: Misbehaviour | None, keys: SigningKeys) -> str:
    """Return the ID token with that one thing wrong and everything else as it was."""
    if misbehaviour is None:
        return id_token
    honest = jwt.decode(id_token, keys.current, [ALGORITHM])
    claims = dict(honest.claims)
    if misbehaviour is Misbehaviour.UNSIGNED:
        return f"{_encoded({'alg': 'none'})}.{_encoded(claims)}."
    if misbehaviour is Misbehaviour.EXPIRED:
        expired_at = int(time.time()) - _A_DAY_SECONDS
        claims |= {"exp": expired_at, "iat": expired_at - 60, "auth_time": expired_at - 60}
    claims |= _SPOILT_CLAIMS.get(misbehaviour, {})
    key = make_key() if misbehaviour is Misbehaviour.FOREIGN_KEY else keys.current
    return jwt.encode(dict(honest.header), claims, key, [ALGORITHM])


def _encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()

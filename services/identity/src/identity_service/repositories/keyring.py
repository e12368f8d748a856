"""The keys that tokens are signed with, kept in memory for half a minute."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from identity_service.repositories.signing_keys import StoredKey
from identity_service.repositories.transaction import Begin
from service_kit.tokens import ALGORITHM

CURVE = "P-256"
REFRESH_SECONDS = 30.0
RETRY_SECONDS = 2.0


def cipher_of(keys: Sequence[str]) -> MultiFernet:
    """Return what encrypts with the first of these Fernet keys and decrypts with any of them."""
    return MultiFernet([Fernet(key) for key in keys])


def generate_key(cipher: MultiFernet) -> tuple[str, bytes, dict[str, Any]]:
    """Return a new key as it is stored: its id, the private half encrypted, the public one."""
    key = ECKey.generate_key(CURVE)
    kid = key.thumbprint()
    public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": ALGORITHM}
    return kid, cipher.encrypt(key.as_pem(private=True)), public


@dataclass(frozen=True, slots=True)
class _Keys:
    """What was read last: the key to sign with, the keys to publish."""

    signing: ECKey
    public: KeySet
    read_at: float


class Keyring:
    """Signs tokens and knows the keys that verify them. Thread-safe.

    The first process that needs a key makes it; private keys leave this class encrypted only.
    """

    def __init__(
        self, begin: Begin, cipher: MultiFernet, *, refresh_seconds: float = REFRESH_SECONDS
    ) -> None:
        self._begin = begin
        self._refresh_seconds = refresh_seconds
        self._cipher = cipher
        self._lock = threading.Lock()
        self._keys: _Keys | None = None

    def sign(self, typ: str, claims: Mapping[str, Any]) -> str:
        """Return a token of this type with these claims."""
        key = self._current(self._refresh_seconds).signing
        header = {"alg": ALGORITHM, "typ": typ, "kid": key.kid}
        return jwt.encode(header, dict(claims), key, algorithms=[ALGORITHM])

    def public_keys(self, kid: str) -> KeySet:
        """Return the published keys, read anew if `kid` is not among those known."""
        known = self._current(self._refresh_seconds)
        if any(key.kid == kid for key in known.public.keys):
            return known.public
        return self._current(min(RETRY_SECONDS, self._refresh_seconds)).public

    def jwks(self) -> dict[str, Any]:
        """Return the published keys as a JSON Web Key Set."""
        return dict(self._current(self._refresh_seconds).public.as_dict(private=False))

    def _current(self, max_age: float) -> _Keys:
        with self._lock:
            if self._keys is None or time.monotonic() - self._keys.read_at > max_age:
                self._keys = self._opened(self._read())
            return self._keys

    def _read(self) -> Sequence[StoredKey]:
        """Return the published keys; if none is active, make one that is."""
        with self._begin() as tx:
            stored = tx.signing_keys.published()
            if any(key.active for key in stored):
                return stored
            tx.signing_keys.lock()
            stored = tx.signing_keys.published()  # another process may have been first
            if any(key.active for key in stored):
                return stored
            kid, encrypted, public = generate_key(self._cipher)
            tx.signing_keys.add(kid, encrypted, public)
            return [*stored, StoredKey(kid, encrypted, public, active=True)]

    def _opened(self, stored: Sequence[StoredKey]) -> _Keys:
        newest = [key for key in stored if key.active][-1]
        pem = self._cipher.decrypt(newest.encrypted_private_key)
        return _Keys(
            signing=ECKey.import_key(pem, {"kid": newest.kid}),
            public=KeySet([ECKey.import_key(key.public_key) for key in stored]),
            read_at=time.monotonic(),
        )

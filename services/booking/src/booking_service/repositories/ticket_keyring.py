"""The keys that tickets are signed with, kept in memory for half a minute."""

import base64
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from booking_service.domain.errors import TicketInvalid
from booking_service.domain.ticket_codes import Seat, key_id, read_code, write_code
from booking_service.repositories.ticket_keys import StoredTicketKey
from booking_service.repositories.transaction import Begin

REFRESH_SECONDS = 30.0
RETRY_SECONDS = 2.0


def cipher_of(keys: Sequence[str]) -> MultiFernet:
    """Return what encrypts with the first of these Fernet keys and decrypts with any of them."""
    return MultiFernet([Fernet(key) for key in keys])


def generate_ticket_key(cipher: MultiFernet) -> tuple[str, bytes, bytes]:
    """Return a new key as it is stored: its id, the public half, the private one encrypted."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key()
    return key_id(public), public.public_bytes_raw(), cipher.encrypt(key.private_bytes_raw())


@dataclass(frozen=True, slots=True)
class _Keys:
    """What was read last, oldest first."""

    stored: Sequence[StoredTicketKey]
    read_at: float

    def for_booking(self, booked_at: datetime) -> StoredTicketKey:
        """Return the newest key of that time; of a booking older than all keys, the first."""
        known_then = [key for key in self.stored if key.active_from <= booked_at]
        return known_then[-1] if known_then else self.stored[0]

    def find(self, kid: str) -> StoredTicketKey | None:
        return next((key for key in self.stored if key.kid == kid), None)


class TicketKeyring:
    """Writes and reads the codes of tickets. Thread-safe.

    A seat has the same code whenever it is asked for, as long as its key is not withdrawn. The
    first process that needs a key makes it; private keys leave this class encrypted only.
    """

    def __init__(
        self, begin: Begin, cipher: MultiFernet, *, refresh_seconds: float = REFRESH_SECONDS
    ) -> None:
        self._begin = begin
        self._cipher = cipher
        self._refresh_seconds = refresh_seconds
        self._lock = threading.Lock()
        self._keys: _Keys | None = None

    def code(self, seat: Seat, *, booked_at: datetime) -> str:
        """Return the code of a seat of a booking made then."""
        key = self._current(self._refresh_seconds).for_booking(booked_at)
        private = self._cipher.decrypt(key.encrypted_private_key)
        return write_code(seat, Ed25519PrivateKey.from_private_bytes(private))

    def seat(self, code: str) -> Seat:
        """Return the seat that a code is for.

        Raises:
            TicketInvalid: none of the keys signed it.
        """
        read = read_code(code)
        key = self._current(self._refresh_seconds).find(read.key_id)
        if key is None:  # perhaps one that another process has just made
            key = self._current(min(RETRY_SECONDS, self._refresh_seconds)).find(read.key_id)
        if key is None:
            raise TicketInvalid
        return read.seat(Ed25519PublicKey.from_public_bytes(key.public_key))

    def jwks(self) -> dict[str, Any]:
        """Return the keys that codes can be verified with as a JSON Web Key Set."""
        return {
            "keys": [
                {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "x": base64.urlsafe_b64encode(key.public_key).decode().rstrip("="),
                    "kid": key.kid,
                    "use": "sig",
                    "alg": "EdDSA",
                }
                for key in self._current(self._refresh_seconds).stored
            ]
        }

    def require_openable(self) -> None:
        """Look whether this process can sign with every stored key; makes none.

        Raises:
            cryptography.fernet.InvalidToken: one is encrypted with a key that is not ours.
        """
        with self._begin() as tx:
            stored = tx.ticket_keys.valid()
        for key in stored:
            self._cipher.decrypt(key.encrypted_private_key)

    def _current(self, max_age: float) -> _Keys:
        with self._lock:
            if self._keys is None or time.monotonic() - self._keys.read_at > max_age:
                self._keys = _Keys(self._read(), time.monotonic())
            return self._keys

    def _read(self) -> Sequence[StoredTicketKey]:
        """Return the keys; if there is none, make one."""
        with self._begin() as tx:
            stored = tx.ticket_keys.valid()
            if stored:
                return stored
            tx.ticket_keys.lock()
            # another process may have been first
            return tx.ticket_keys.valid() or [
                tx.ticket_keys.add(*generate_ticket_key(self._cipher))
            ]

"""What may be kept of a person who is gone: a keyed hash, from which nobody gets back to the id."""

import hmac
from uuid import UUID


class PersonHashes:
    """HMAC-SHA-256 of ids under one secret of the whole platform. Thread-safe.

    The secret is never replaced: under another one, nobody who is gone would be recognised.
    An operator gets the same value with `printf %s ID | openssl dgst -sha256 -hmac KEY`.
    """

    def __init__(self, key: str) -> None:
        """Prepare for hashing.

        Args:
            key: the value of `ERASURE_KEY`, the same in every service.
        """
        self._key = key.encode()

    @property
    def key_check(self) -> bytes:
        """32 bytes by which this key is recognised; nobody gets back to it from them."""
        return hmac.digest(self._key, b"check of the key", "sha256")

    def of(self, person_id: UUID) -> bytes:
        """Return the 32 bytes under which a person's deletion is remembered."""
        return hmac.digest(self._key, str(person_id).encode(), "sha256")

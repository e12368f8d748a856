"""The link under which a deletion can be watched, signed in or not."""

import base64
import hmac
from uuid import UUID

from identity_service.domain.sign_in import hashed

_PURPOSE = "deletion link:"


class DeletionLinks:
    """Links that nobody can guess: a request that is repeated gets the same one again.

    Of a link only the hash is stored, as of every secret; it is derived from the deletion's id
    under a secret key.
    """

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def token(self, saga_id: UUID) -> str:
        """Return the secret part of a deletion's link: 256 bits."""
        digest = hmac.digest(self._key, f"{_PURPOSE}{saga_id}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def hash_of(self, saga_id: UUID) -> bytes:
        """Return what is stored of a deletion's link."""
        return hashed(self.token(saga_id))

"""The keys that ID tokens are signed with, kept in a file so that a restart changes nothing."""

import json
import os
import threading
from pathlib import Path
from typing import Any

from joserfc.jwk import KeySet, RSAKey

ALGORITHM = "RS256"


def make_key() -> RSAKey:
    """Return a new private key whose id is its thumbprint."""
    return RSAKey.generate_key(2048, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)


class SigningKeys:
    """The current key and, for clients that still hold its tokens, the one before it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        if file.exists():
            keys = KeySet.import_key_set(json.loads(file.read_text())).keys
            self._keys = [key for key in keys if isinstance(key, RSAKey)]
        else:
            self._keys = [make_key()]
            self._save()

    @property
    def current(self) -> RSAKey:
        """The key that signs."""
        return self._keys[0]

    def rotate(self, *, keep_previous: bool) -> RSAKey:
        """Sign with a new key from now on; a previous key that is not kept is gone at once."""
        with self._lock:
            self._keys = [make_key(), *(self._keys[:1] if keep_previous else [])]
            self._save()
            return self.current

    def public_key_set(self) -> dict[str, Any]:
        """Return the JWKS that clients verify with."""
        return {"keys": [key.as_dict(private=False) for key in self._keys]}

    def _save(self) -> None:
        """Replace the file in one step; it was readable by its owner only from the start."""
        new = self._file.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
            json.dump({"keys": [key.as_dict(private=True) for key in self._keys]}, output)
        new.replace(self._file)

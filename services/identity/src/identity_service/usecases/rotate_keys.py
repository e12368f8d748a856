"""Replacing the key that tokens are signed with."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.fernet import MultiFernet

from identity_service.domain.errors import RotationUnderWay
from identity_service.repositories.keyring import generate_key
from identity_service.repositories.transaction import Begin

# Until then every service has fetched the keys again (`tokens.JWKS_SECONDS`).
PUBLISHED_AHEAD = timedelta(minutes=10)
# Until then the last token that the old key signed has expired (10 minutes), wherever a process
# went on with it for a moment (`keyring.REFRESH_SECONDS`) or a clock is a little late.
ACCEPTED_AFTERWARDS = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Rotation:
    """What was arranged: the new key, and when the older ones end."""

    kid: str
    signs_from: datetime
    older_keys: int
    older_keys_end: datetime


def rotate_keys(begin: Begin, cipher: MultiFernet) -> Rotation:
    """Publish a new key that will sign later, and let the older ones end after that.

    Nothing has to be restarted, and no token becomes invalid before it expires.

    Raises:
        RotationUnderWay: the new key of the rotation before does not sign yet.
    """
    kid, encrypted, public = generate_key(cipher)
    with begin() as tx:
        tx.signing_keys.lock()
        published = tx.signing_keys.published()
        if any(not key.active for key in published):
            raise RotationUnderWay
        ahead = PUBLISHED_AHEAD if published else timedelta(0)
        signs_from = tx.signing_keys.add(kid, encrypted, public, active_in=ahead)
        older_keys_end = signs_from + ACCEPTED_AFTERWARDS
        older_keys = tx.signing_keys.retire_others(kid, after=older_keys_end)
    return Rotation(kid, signs_from, older_keys, older_keys_end)

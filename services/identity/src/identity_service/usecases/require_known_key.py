"""Making sure that people who are gone are still recognised."""

import structlog

from identity_service.domain.errors import AnotherErasureKey
from identity_service.repositories.transaction import Begin
from service_kit.person_hashes import PersonHashes

log = structlog.get_logger(__name__)


def require_known_key(begin: Begin, hashes: PersonHashes) -> None:
    """Compare the key with the one of the first use, which this may be.

    Raises:
        AnotherErasureKey: under this one nobody who was deleted would be recognised.
    """
    with begin() as tx:
        known = tx.deletions.key_check() or tx.deletions.remember_key(hashes.key_check)
    if known != hashes.key_check:
        log.error("ERASURE_KEY is not the key that deletions are remembered under")
        raise AnotherErasureKey

"""Waiting for what becomes of a deletion."""

import time
from uuid import UUID

from identity_service.domain.deletions import DECIDED, Deletion
from identity_service.domain.errors import UnknownDeletion
from identity_service.repositories.transaction import Begin

POLL_SECONDS = 0.1


def await_deletion(read: Begin, *, saga_id: UUID, seconds: float) -> Deletion:
    """Return the deletion once it is decided and, if refused, undone; or as it is after `seconds`.

    Raises:
        UnknownDeletion: there is no such deletion.
    """
    ends_at = time.monotonic() + seconds
    while True:
        with read() as tx:
            deletion = tx.deletions.get(saga_id)
        if deletion is None:
            raise UnknownDeletion
        if deletion.state in DECIDED or time.monotonic() >= ends_at:
            return deletion
        time.sleep(POLL_SECONDS)

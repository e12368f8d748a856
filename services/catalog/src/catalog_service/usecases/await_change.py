"""Waiting for the outcome of a guarded change."""

import time
from uuid import UUID

from catalog_service.domain.changes import ChangeStatus, ShowChange
from catalog_service.domain.errors import ShowNotFound
from catalog_service.repositories.transaction import Begin

PAUSE_SECONDS = 0.05


def await_change(read: Begin, *, change_id: UUID, seconds: float) -> ShowChange:
    """Return a change as soon as it is decided, or as it is when the time is over.

    Raises:
        ShowNotFound: the show is gone.
    """
    ends_at = time.monotonic() + seconds
    while True:
        with read() as tx:
            change = tx.changes.find(change_id)
        if change is None:
            raise ShowNotFound
        if change.status is not ChangeStatus.OPEN or time.monotonic() >= ends_at:
            return change
        time.sleep(PAUSE_SECONDS)

"""What the worker does about deletions beside carrying them out."""

import structlog

from identity_service.domain.deletions import Deletion, DeletionState
from identity_service.domain.errors import DeletionOver
from identity_service.repositories.transaction import Begin
from identity_service.repositories.work import deletion_work_id
from identity_service.usecases.retry_deletion import retry_deletion
from service_kit.durable import WorkQueue

log = structlog.get_logger(__name__)


def conclude_deletions(begin: Begin, queue: WorkQueue, *, version: str) -> int:
    """Remove the traces of the work on deletions that are done, then call them completed."""
    with begin() as tx:
        purged = tx.deletions.purged()
    concluded = 0
    for deletion in purged:
        if queue.under_way(_runs(deletion), version=version):
            continue  # it ends in a moment
        queue.forget(_runs(deletion))
        with begin() as tx:
            concluded += tx.deletions.move(
                deletion.saga_id,
                to=DeletionState.COMPLETED,
                sources=(DeletionState.PURGED,),
            )
    return concluded


def resume_deletions(begin: Begin, queue: WorkQueue, *, version: str) -> int:
    """Begin another run of deletions nobody works on: those of an older release's workers."""
    with begin() as tx:
        idle = tx.deletions.idle()
    resumed = 0
    for deletion in idle:
        if queue.under_way(_runs(deletion), version=version):
            continue
        try:
            retry_deletion(begin, saga_id=deletion.saga_id)
        except DeletionOver:
            continue
        log.warning("deletion taken up again", deletion=str(deletion.saga_id))
        resumed += 1
    return resumed


def _runs(deletion: Deletion) -> list[str]:
    return [
        deletion_work_id(deletion.saga_id, attempt) for attempt in range(1, deletion.attempt + 1)
    ]

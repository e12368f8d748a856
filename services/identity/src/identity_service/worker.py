"""Identity's worker process: accounts are deleted, other services told of decisions."""

import os

import structlog
from prometheus_client import Gauge

from identity_service.domain.deletions import OPEN
from identity_service.repositories.transaction import Begin
from identity_service.settings import WorkerSettings
from identity_service.usecases.look_after_deletions import conclude_deletions, resume_deletions
from identity_service.usecases.purge_expired import purge_expired
from identity_service.wiring import SERVICE, durable_worker, transactions_on, work_queue
from identity_service.workflows.version import VERSION
from service_kit import logs, tracing
from service_kit.database import connect_to
from service_kit.durable import DurableWorker, WorkQueue
from service_kit.timers import Periodic, Timers
from service_kit.worker import run_until_stopped

log = structlog.get_logger(__name__)

PURGE_EVERY_SECONDS = 60.0
CONCLUDE_EVERY_SECONDS = 1.0
RESUME_EVERY_SECONDS = 5.0
POOL_SIZE = 4

DELETIONS_OPEN = Gauge(
    "account_deletions_open", "Deletions of accounts that are not over, by state.", ["state"]
)
DELETIONS_STUCK = Gauge(
    "account_deletions_stuck", "Deletions of accounts that fail again and again, or stand still."
)
DELETION_OLDEST = Gauge(
    "account_deletion_oldest_seconds", "Age of the oldest deletion of an account that is not over."
)


def run(begin: Begin, durable: DurableWorker, queue: WorkQueue, *, port: int) -> None:
    """Work until SIGTERM."""

    def purge() -> None:
        purged = purge_expired(begin)
        if any(purged.values()):
            log.info("purged", **purged)

    def ready() -> None:
        with begin() as tx:
            tx.signing_keys.published()
        durable.ready()

    def conclude() -> None:
        conclude_deletions(begin, queue, version=VERSION)

    def resume() -> None:
        resume_deletions(begin, queue, version=VERSION)
        with begin() as tx:
            by_state, stuck = tx.deletions.how_many()
            oldest = tx.deletions.age_of_oldest()
        for state in OPEN:
            DELETIONS_OPEN.labels(state.value).set(by_state.get(state, 0))
        DELETIONS_STUCK.set(stuck)
        DELETION_OLDEST.set(oldest.total_seconds())

    timers = Timers(
        [
            Periodic("purge-expired", PURGE_EVERY_SECONDS, purge),
            Periodic("conclude-deletions", CONCLUDE_EVERY_SECONDS, conclude),
            Periodic("resume-deletions", RESUME_EVERY_SECONDS, resume),
        ]
    )
    with durable:
        timers.start()
        try:
            run_until_stopped(port=port, ready=ready)
        finally:
            timers.stop()


def main() -> None:
    """Start from the environment."""
    settings = WorkerSettings.from_env(os.environ)
    name = f"{SERVICE}-worker"
    logs.configure(service=name, level=settings.log_level)
    tracing.configure(service=name)
    engine = connect_to(settings.database_url, application=name, pool_size=POOL_SIZE)
    begin = transactions_on(engine)
    run(begin, durable_worker(begin, settings), work_queue(engine), port=settings.port)


if __name__ == "__main__":
    main()

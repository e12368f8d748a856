"""Identity's worker process: other services are told of decisions, what has expired is removed."""

import os

import structlog

from identity_service.repositories.transaction import Begin
from identity_service.settings import WorkerSettings
from identity_service.usecases.purge_expired import purge_expired
from identity_service.wiring import SERVICE, durable_worker, transactions_on
from service_kit import logs
from service_kit.database import connect_to
from service_kit.durable import DurableWorker
from service_kit.timers import Periodic, Timers
from service_kit.worker import run_until_stopped

log = structlog.get_logger(__name__)

PURGE_EVERY_SECONDS = 60.0
POOL_SIZE = 4


def run(begin: Begin, durable: DurableWorker, *, port: int) -> None:
    """Work until SIGTERM."""

    def purge() -> None:
        purged = purge_expired(begin)
        if any(purged.values()):
            log.info("purged", **purged)

    def ready() -> None:
        with begin() as tx:
            tx.signing_keys.published()
        durable.ready()

    timers = Timers([Periodic("purge-expired", PURGE_EVERY_SECONDS, purge)])
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
    engine = connect_to(settings.database_url, application=name, pool_size=POOL_SIZE)
    begin = transactions_on(engine)
    run(begin, durable_worker(begin, settings), port=settings.port)


if __name__ == "__main__":
    main()

"""The worker process: `python -m catalog_service.worker`."""

import os

from catalog_service.settings import Settings, WorkerSettings
from catalog_service.usecases.collect_media import collect_media
from catalog_service.wiring import SERVICE, durable_worker, wire
from service_kit import logs, tracing
from service_kit.timers import Periodic, Timers
from service_kit.worker import run_until_stopped

COLLECT_EVERY_SECONDS = 600.0


def main() -> None:
    """Do durable work, and remove unused uploads, until asked to stop."""
    settings = Settings.from_env(os.environ)
    worker = WorkerSettings.from_env(os.environ)
    logs.configure(service=f"{SERVICE}-worker", level=settings.log_level)
    tracing.configure(service=f"{SERVICE}-worker")
    wiring = wire(settings)

    def collect() -> None:
        collect_media(wiring.begin, wiring.people, wiring.storage)

    timers = Timers([Periodic("collect-media", COLLECT_EVERY_SECONDS, collect)])
    with durable_worker(wiring, settings, worker) as durable:

        def ready() -> None:
            wiring.ready()
            durable.ready()

        timers.start()
        try:
            run_until_stopped(port=worker.port, ready=ready)
        finally:
            timers.stop()


if __name__ == "__main__":
    main()

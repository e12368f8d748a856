"""The worker process: `python -m catalog_service.worker`."""

import os

from catalog_service.settings import Settings, WorkerSettings
from catalog_service.wiring import SERVICE, durable_worker, wire
from service_kit import logs
from service_kit.worker import run_until_stopped


def main() -> None:
    """Do durable work until asked to stop."""
    settings = Settings.from_env(os.environ)
    worker = WorkerSettings.from_env(os.environ)
    logs.configure(service=f"{SERVICE}-worker", level=settings.log_level)
    wiring = wire(settings)
    with durable_worker(wiring, settings, worker) as durable:

        def ready() -> None:
            wiring.ready()
            durable.ready()

        run_until_stopped(port=worker.port, ready=ready)


if __name__ == "__main__":
    main()

"""A worker for `test_durable.py`: notes what it does in a file, waits while another file exists.

python durable_program.py DATABASE_URL WORKER_ID NOTES HOLD [LEASE_SECONDS]
"""

import sys
import time
from pathlib import Path

from service_kit.durable import LEASE_SECONDS, DurableWorker, step

SERVICE = "errands"
QUICK = "quick errands"


def main(database_url: str, worker_id: str, notes: Path, hold: Path, lease: float) -> None:
    def note(text: str) -> None:
        with notes.open("a") as file:
            file.write(f"{text}\n")

    def wait() -> None:
        note("waiting")
        while hold.exists():
            time.sleep(0.02)

    def errand(name: str) -> None:
        step("first", note, f"first {name}")
        step("wait", wait)
        step("last", note, f"last {name}")

    def quick(name: str) -> None:
        step("quick", note, f"quick {name}")

    with DurableWorker(
        database_url,
        service=SERVICE,
        worker_id=worker_id,
        version="test",
        workflows={"errand": errand, "quick": quick},
        queues=(SERVICE, QUICK),
        lease_seconds=lease,
    ):
        while True:
            time.sleep(1)


if __name__ == "__main__":
    url, name, notes, hold, *lease = sys.argv[1:]
    main(url, name, Path(notes), Path(hold), float(lease[0]) if lease else LEASE_SECONDS)

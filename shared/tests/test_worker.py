import subprocess
import sys

from devstack.ports import free_ports

STOPPED_THROUGH_ANOTHER_THREAD = """
import signal, sys, threading, time
from service_kit.worker import run_until_stopped

def stop(other):
    time.sleep(0.5)
    signal.pthread_kill(other.ident, signal.SIGTERM)

other = threading.Thread(target=time.sleep, args=(600,), daemon=True)
other.start()
threading.Thread(target=stop, args=(other,), daemon=True).start()
run_until_stopped(port=int(sys.argv[1]), ready=lambda: None)
"""


def test_a_worker_ends_whichever_of_its_threads_the_signal_meets() -> None:
    """The system gives a signal to the process to any of its threads that may have it."""
    port = free_ports(["WORKER"])["WORKER"]

    ended = subprocess.run(  # noqa: S603 our own program
        [sys.executable, "-c", STOPPED_THROUGH_ANOTHER_THREAD, port], timeout=20, check=False
    )

    assert ended.returncode == 0

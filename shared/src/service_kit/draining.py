"""The end of a web process: for a while it serves what still comes, and asks for nothing new."""

import signal
from types import FrameType

_begun = False


def begun() -> bool:
    """Tell whether this process is about to stop."""
    return _begun


def before_stopping(seconds: int) -> None:
    """Have this process drain for so long when SIGTERM comes, and only then do what it did before.

    No thread is started, for a handler may have interrupted the start of one.
    """
    stop = signal.getsignal(signal.SIGTERM)

    def drain(_number: int, _frame: FrameType | None) -> None:
        global _begun
        _begun = True
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, seconds)

    signal.signal(signal.SIGTERM, drain)

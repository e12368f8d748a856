"""Lines on standard output: many at a time, a moment later, or at once if they are urgent."""

import atexit
import os
import select
import sys
import threading
from contextlib import suppress
from io import BufferedWriter, FileIO, TextIOWrapper

FLUSH_SECONDS = 0.05
UNWRITABLE = (OSError, ValueError)  # no room, nobody who reads; standard output is closed


def write_whole_lines() -> None:
    """Write no more at once than a pipe keeps together: several processes may share it."""
    output = sys.stdout
    if isinstance(output, TextIOWrapper) and output is sys.__stdout__:
        file = FileIO(output.fileno(), "w", closefd=False)
        sys.stdout = TextIOWrapper(
            BufferedWriter(file, select.PIPE_BUF),
            encoding=output.encoding,
            errors=output.errors,
            line_buffering=output.line_buffering,
        )


class _Flusher:
    """Writes out what waits on standard output a moment after the first of it was put there.

    Whoever writes lets go of the interpreter. If each request did so for its entry, many more would
    queue for it: that cost a service almost a fifth of what it can answer.
    """

    def __init__(self) -> None:
        self._pending = False
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def note(self) -> None:
        """Have what was just put on standard output written."""
        if self._pending:
            return
        self._pending = True
        if self._thread is None and not self._start():
            self._pending = False
            self.flush()
        self._wake.set()

    def flush(self) -> None:
        """Write everything now; where that is impossible, nobody's work fails for it."""
        with suppress(*UNWRITABLE):
            sys.stdout.flush()

    def stop(self) -> None:
        """End the thread: at the end of the process nobody may hold standard output."""
        self._stopping.set()
        self._wake.set()
        if self._thread:
            self._thread.join()

    def _start(self) -> bool:
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="log", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the system gives no more threads
                    return False
                self._thread = thread
        return True

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait()
            self._stopping.wait(FLUSH_SECONDS)
            self._wake.clear()
            self._pending = False
            self.flush()


_flusher = _Flusher()


def _begin_anew() -> None:
    """Do without the thread of the process from which this one was forked."""
    global _flusher
    _flusher = _Flusher()


os.register_at_fork(before=lambda: _flusher.flush(), after_in_child=_begin_anew)
atexit.register(lambda: _flusher.stop())


class Line:
    """Puts entries on standard output; knows the name under which it was asked for."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self._output = sys.stdout.buffer

    def info(self, line: bytes) -> None:
        """Write this with whatever else comes at about this time."""
        self._put(line)
        _flusher.note()

    def warning(self, line: bytes) -> None:
        """Write this at once: it may be the last that the process says."""
        self._put(line)
        _flusher.flush()

    debug = info
    error = critical = warning

    def _put(self, line: bytes) -> None:
        with suppress(*UNWRITABLE):
            self._output.write(line)

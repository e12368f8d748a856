"""Structured logs: one JSON object a line on standard output, with the request id, without people.

Texts that nobody composed for the log (a library's message, what an error says, a traceback) lose
every id, whosever it is: ids are logged as fields that say what they identify, and no field
identifies a person.
"""

import atexit
import json
import logging
import os
import re
import select
import sys
import threading
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from io import BufferedWriter, FileIO, TextIOWrapper
from types import TracebackType
from typing import Any

import msgspec
import structlog

from service_kit.request_ids import current_request_id

REDACTED = "[redacted]"
FLUSH_SECONDS = 0.05
UNWRITABLE = (OSError, ValueError)  # no room, nobody who reads; standard output is closed
_SENSITIVE = re.compile(
    r"authorization|cookie|csrf|e_?mail|password|phone|secret|token|code_verifier"
    r"|person|people|user|owner|subject|picture|(^|_)(name|sub|path|ur[il]|query)$",
    re.IGNORECASE,
)
_TEXTS = {"event", "exception", "stack", "reason"}  # of which nobody knows what they consist of
_OURS = {"time", "level", "logger", "message"}
_EMAIL = re.compile(
    r"[^\s@\"'<>=]+(?:@|%40)[^\s@\"'<>=%]+\.[^\s@\"'<>=.,;:!?/)\]}]{2,}", re.IGNORECASE
)
_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_QUERY = re.compile(r"(?<=[\w/])\?[^\s\"'?]*=[^\s\"']*")
_CREDENTIAL = re.compile(r"\b(Bearer|Basic)\s+\S+|\bcc_[\w-]+|\beyJ[\w-]+\.[\w-]+\.[\w-]+")
_ROW_VALUES = re.compile(
    r"\b(DETAIL:|CONTEXT:).*?"  # values can have lines of their own
    r"(?=\n(?:HINT:|CONTEXT:|QUERY:|\[SQL|\(Background|The above|During handling|Traceback )|\Z)",
    re.DOTALL,
)
_URL_PASSWORD = re.compile(r"(://[^:/@\s]+):[^@/\s]+@")
_PLAIN = r"[\w/.,;%=?&+~*> -]*"
_HARMLESS = re.compile(  # what most texts consist of, the routes of things with ids among them
    rf"{_PLAIN}(?:<uuid:{_PLAIN})*", re.ASCII
)
_TELLING = re.compile(
    r"\b(Bearer|Basic)\s|\b(cc_|eyJ)|%40", re.IGNORECASE
)  # without this, nothing to hide in them


def scrub(text: str) -> str:
    """Return the text without e-mail addresses, credentials and values of database rows."""
    if _HARMLESS.fullmatch(text) and not _TELLING.search(text):
        return text
    text = _ROW_VALUES.sub(rf"\1 {REDACTED}", text)
    text = _URL_PASSWORD.sub(rf"\1:{REDACTED}@", text)
    return _CREDENTIAL.sub(REDACTED, _EMAIL.sub(REDACTED, text))


def scrub_text(text: str) -> str:
    """Return a text from elsewhere without ids and query strings as well."""
    return scrub(_QUERY.sub(f"?{REDACTED}", _ID.sub("[id]", text)))


@lru_cache(maxsize=1024)
def _is_sensitive(key: str) -> bool:
    return key not in _TEXTS and bool(_SENSITIVE.search(key))


def configure(*, service: str, level: str = "INFO") -> None:
    """Write everything, the libraries' records included, as JSON to standard output.

    Our own entries are made straight away; only records of libraries pass through `logging`.
    Those below a warning are written within a twentieth of a second, together with others; a
    process that is killed loses those of that time.
    """
    _write_whole_lines()
    entries = _Entries(service)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, entries.of_event, _as_line],
        wrapper_class=structlog.make_filtering_bound_logger(level.upper()),
        logger_factory=_Line,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.ExtraAdder(),
            ],
            processors=[entries.of_record, _as_text],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    _take_over_gunicorn()
    _take_over_uncaught_errors()
    for noisy in ("urllib3", "werkzeug", "sqlalchemy.engine"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _write_whole_lines() -> None:
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


def _take_over_gunicorn() -> None:
    """Send what gunicorn says of its own through the root logger: it would repeat addresses."""
    logger = logging.getLogger("gunicorn.error")
    logger.handlers = []
    logger.propagate = True


def _take_over_uncaught_errors() -> None:
    """Report what ends the process or a thread, unless others do so: Python would print it all."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _log_uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = lambda died: _log_uncaught(
            died.exc_type, died.exc_value or died.exc_type(), died.exc_traceback
        )


def _log_uncaught(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if not issubclass(kind, (KeyboardInterrupt, SystemExit)):
        structlog.get_logger(__name__).critical("uncaught", exc_info=(kind, error, traceback))


class _Flusher:
    """Writes out what waits on standard output a moment after the first of it was put there.

    Whoever writes lets go of the interpreter. If each request did so for its entry, many more would
    queue for it: that cost a service a fifth of what it can answer.
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


class _Line:
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


class _Entries:
    """Makes entries of events, in one step and not in many, for every request has one."""

    def __init__(self, service: str) -> None:
        self._service = service

    def of_event(
        self, logger: _Line, level: str, event: MutableMapping[str, Any]
    ) -> dict[str, Any]:
        return self._entry(logger.name, level, event)

    def of_record(
        self, _logger: object, level: str, event: MutableMapping[str, Any]
    ) -> dict[str, Any]:
        del event["_from_structlog"]
        return self._entry(event.pop("_record").name, level, event)

    def _entry(self, logger: str, level: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
        if "exc_info" in event or "stack_info" in event:
            event = _with_traceback(event)
        entry: dict[str, Any] = {
            "service": self._service,
            "time": f"{datetime.now(UTC).replace(tzinfo=None).isoformat()}Z",
            "level": level,
            "logger": logger,
            "message": scrub_text(str(event.pop("event"))),
        }
        if request_id := current_request_id():
            entry["requestId"] = scrub(request_id)
        for key, value in event.items():
            if key not in _OURS:
                entry[key] = _redacted(key, value)
        return entry


def _with_traceback(event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    with_stack = structlog.processors.StackInfoRenderer()(None, "", event)
    return structlog.processors.format_exc_info(None, "", with_stack)


def _redacted(key: str, value: Any) -> Any:
    if _is_sensitive(key):
        return REDACTED
    if isinstance(value, str):
        return scrub_text(value) if key in _TEXTS else scrub(value)
    return value


def _as_json(entry: MutableMapping[str, Any]) -> bytes:
    """Return one line of ASCII, for standard output may not take anything else."""
    try:
        line = msgspec.json.encode(entry, enc_hook=repr)
    except (TypeError, ValueError):  # keys that are no texts, texts that are none to UTF-8
        line = b""
    return line if line and line.isascii() else json.dumps(entry, default=repr).encode()


def _as_line(_logger: object, _level: str, entry: MutableMapping[str, Any]) -> bytes:
    return _as_json(entry) + b"\n"


def _as_text(_logger: object, _level: str, entry: MutableMapping[str, Any]) -> str:
    return _as_json(entry).decode()

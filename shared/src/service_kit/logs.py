"""Structured logs: one JSON object a line on standard output, with the request id, without people.

Texts that nobody composed for the log (a library's message, what an error says, a traceback) lose
every id, whosever it is: ids are logged as fields that say what they identify, and no field
identifies a person.
"""

import json
import logging
import re
import sys
import threading
from collections.abc import MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType
from typing import Any

import msgspec
import structlog

from service_kit.log_output import Line, write_whole_lines
from service_kit.request_ids import current_request_id

REDACTED = "[redacted]"
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
    write_whole_lines()
    entries = _Entries(service)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, entries.of_event, _as_line],
        wrapper_class=structlog.make_filtering_bound_logger(level.upper()),
        logger_factory=Line,
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


class _Entries:
    """Makes entries of events, in one step and not in many, for every request has one."""

    def __init__(self, service: str) -> None:
        self._service = service

    def of_event(self, logger: Line, level: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
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

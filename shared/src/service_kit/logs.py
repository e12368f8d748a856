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
from collections.abc import Callable, MutableMapping
from functools import lru_cache
from types import TracebackType
from typing import Any

import msgspec
import structlog

from service_kit.request_ids import current_request_id

REDACTED = "[redacted]"
_SENSITIVE = re.compile(
    r"authorization|cookie|csrf|e_?mail|password|phone|secret|token|code_verifier"
    r"|person|people|user|owner|subject|picture|(^|_)(name|sub|path|ur[il]|query)$",
    re.IGNORECASE,
)
_TEXTS = {"event", "exception", "stack", "reason"}  # of which nobody knows what they consist of
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
_HARMLESS = re.compile(r"[\w/.,;%=?&+~* -]*", re.ASCII)  # what most texts consist of
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


def _redact(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if _is_sensitive(key):
            event[key] = REDACTED
        elif isinstance(value, str):
            event[key] = scrub_text(value) if key in _TEXTS else scrub(value)
    return event


def configure(*, service: str, level: str = "INFO") -> None:
    """Write everything, the libraries' records included, as JSON to standard output.

    Our own entries are written straight away; only records of libraries pass through `logging`.
    """
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        _request_id,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
    ]
    rendering: list[structlog.types.Processor] = [
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _redact,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.EventRenamer("message"),
        _service_name(service),
        structlog.processors.JSONRenderer(serializer=_as_json),
    ]
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level.upper()),
        logger_factory=_Line,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
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


class _Line(structlog.WriteLogger):
    """Writes lines to standard output; knows the name under which it was asked for."""

    def __init__(self, name: str = "") -> None:
        super().__init__(sys.stdout)
        self.name = name


def _service_name(service: str) -> structlog.types.Processor:
    def add(
        _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        return {"service": service, **event}

    return add


def _request_id(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    if request_id := current_request_id():
        event.setdefault("requestId", request_id)
    return event


def _as_json(event: MutableMapping[str, Any], *, default: Callable[[Any], Any]) -> str:
    """Return one line of ASCII, for standard output may not take anything else."""
    try:
        line = msgspec.json.encode(event, enc_hook=default).decode()
    except (TypeError, ValueError):  # keys that are no texts, texts that are none to UTF-8
        line = ""
    return line if line and line.isascii() else json.dumps(event, default=default)

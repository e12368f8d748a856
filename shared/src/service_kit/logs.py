"""Structured logs: one JSON object a line on standard output, with the request id, without PII."""

import json
import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from functools import lru_cache
from typing import Any

import msgspec
import structlog

from service_kit.request_ids import current_request_id

REDACTED = "[redacted]"
_SENSITIVE = re.compile(
    r"authorization|cookie|csrf|e_?mail|password|phone|secret|token|code_verifier", re.IGNORECASE
)
_EMAIL = re.compile(r"[^\s@\"'<>=]+@[^\s@\"'<>=]+\.[A-Za-z]{2,}")
_CREDENTIAL = re.compile(r"\b(Bearer|Basic)\s+\S+|\bcc_[\w-]+|\beyJ[\w-]+\.[\w-]+\.[\w-]+")
_ROW_VALUES = re.compile(r"\b(DETAIL:|CONTEXT:)[^\n]*")
_URL_PASSWORD = re.compile(r"(://[^:/@\s]+):[^@/\s]+@")
_HARMLESS = re.compile(r"[\w/.,;%=?&+~* -]*", re.ASCII)  # what most texts consist of
_TELLING = re.compile(r"\b(Bearer|Basic)\s|\b(cc_|eyJ)")  # without this, nothing to hide in them


def scrub(text: str) -> str:
    """Return the text without e-mail addresses, credentials and values of database rows."""
    if _HARMLESS.fullmatch(text) and not _TELLING.search(text):
        return text
    text = _ROW_VALUES.sub(rf"\1 {REDACTED}", text)
    text = _URL_PASSWORD.sub(rf"\1:{REDACTED}@", text)
    return _CREDENTIAL.sub(REDACTED, _EMAIL.sub(REDACTED, text))


@lru_cache(maxsize=1024)
def _is_sensitive(key: str) -> bool:
    return key not in {"event", "exception"} and bool(_SENSITIVE.search(key))


def _redact(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if _is_sensitive(key):
            event[key] = REDACTED
        elif isinstance(value, str):
            event[key] = scrub(value)
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
    for noisy in ("urllib3", "werkzeug", "sqlalchemy.engine"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


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

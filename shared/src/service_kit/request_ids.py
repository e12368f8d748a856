"""The id that ties a request's log lines, its answer and its calls to other services together."""

import re
from contextvars import ContextVar

from uuid_utils import uuid7

HEADER = "X-Request-ID"

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")
_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def begin_request(header: str | None) -> str:
    """Take over the caller's id if it is harmless, else make one; it is current from now on."""
    request_id = header if header and _ACCEPTABLE.fullmatch(header) else str(uuid7())
    _current.set(request_id)
    return request_id


def current_request_id() -> str | None:
    """Return the id of the request being served, None outside of one."""
    return _current.get()

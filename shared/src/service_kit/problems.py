"""Errors as RFC 9457 `application/problem+json`; refusals become HTTP in one table a service."""

import errno
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from flask import Flask, Response, request
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from service_kit.deadline import DeadlineExceeded
from service_kit.peers import PeerUnavailable
from service_kit.request_ids import current_request_id

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = "1"
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
INVALID_TRANSACTION_STATE = "25"  # class of SQLSTATE


class Problem(Exception):
    """A refusal that belongs to HTTP itself, such as a missing credential."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        error: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.code = code
        self.error = error
        self.headers = dict(headers or {})
        self.members = members


def problem_response(problem: Problem) -> Response:
    """Return the answer to a problem: `error` is for the person, `code` for the program."""
    body = {
        "type": "about:blank",
        "title": problem.status.phrase,
        "status": int(problem.status),
        "detail": problem.error,
        "instance": request.path,
        "error": problem.error,
        "code": problem.code,
        "requestId": current_request_id(),
        **problem.members,
    }
    return Response(_as_json(body), problem.status, problem.headers, mimetype=MEDIA_TYPE)


def _as_json(body: Mapping[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:  # half a character, in the name of a member that was sent
        return json.dumps(body).encode()


def register_problem_handlers(app: Flask) -> None:
    """Answer every error of the app as a problem; unexpected ones are logged, never shown."""
    app.register_error_handler(Problem, problem_response)
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(DeadlineExceeded, _deadline_exceeded)
    app.register_error_handler(PeerUnavailable, _peer_unavailable)
    for error in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(error, _database_unavailable)
    app.register_error_handler(DataError, _out_of_range)
    app.register_error_handler(OSError, _no_room)
    app.register_error_handler(InternalError, _transaction_ended)
    app.register_error_handler(Exception, _unexpected)


def register_refusals(
    app: Flask, base: type[Exception], statuses: Mapping[type[Exception], HTTPStatus]
) -> None:
    """Answer the service's named refusals, subclasses of `base` with a `code`, from its one table.

    A person reads the refusal's message or, without one, its class's first docstring line. Its
    `retry_after_seconds`, if it has some, become the header.
    """

    def refused(refusal: Exception) -> Response:
        code: str = getattr(refusal, "code", "REFUSED")
        members: Mapping[str, Any] = getattr(refusal, "members", {})
        error = str(refusal) or (type(refusal).__doc__ or "Refused").splitlines()[0]
        retry_after = getattr(refusal, "retry_after_seconds", None)
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        status = statuses[type(refusal)]
        return problem_response(Problem(status, code, error, headers=headers, **members))

    app.register_error_handler(base, refused)


def _http_exception(exception: HTTPException) -> Response:
    if (
        exception.code is None or exception.code < HTTPStatus.BAD_REQUEST
    ):  # e.g. Werkzeug's redirects
        return exception.get_response()  # type: ignore[return-value]
    status = HTTPStatus(exception.code)
    fields = _field_errors(exception)
    error = exception.description or status.phrase
    if status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE and request.max_content_length:
        error = f"At most {request.max_content_length / 2**20:.1f} MiB can be sent here."
    code = status.name
    if fields:
        code = "INVALID_FIELDS" if status is HTTPStatus.UNPROCESSABLE_ENTITY else "UNREADABLE"
        name, messages = next(iter(fields.items()))
        error = f"{name}: {messages[0]}" if name else messages[0]
    headers = {k: v for k, v in exception.get_headers() if k in {"Allow", "Retry-After"}}
    members = {"errors": fields} if fields else {}
    return problem_response(Problem(status, code, error, headers=headers, **members))


def _field_errors(exception: HTTPException) -> dict[str, list[str]]:
    """Flatten webargs' messages, `{location: {field: …}}`, to `{"field.inner": [message, …]}`."""
    data = getattr(exception, "data", None) or {}
    flat: dict[str, list[str]] = {}

    def walk(path: str, node: Any) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                name = "" if key == "_schema" else str(key)
                walk(".".join(filter(None, (path, name))), value)
        elif isinstance(node, list):
            flat.setdefault(path, []).extend(str(message) for message in node)

    for located in data.get("messages", {}).values():
        walk("", located)
    return flat


def _deadline_exceeded(_exception: DeadlineExceeded) -> Response:
    return problem_response(
        Problem(
            HTTPStatus.GATEWAY_TIMEOUT,
            "DEADLINE_EXCEEDED",
            "This took longer than allowed. Please try again.",
        )
    )


def _peer_unavailable(exception: PeerUnavailable) -> Response:
    log.warning("peer unavailable", peer=exception.peer, reason=str(exception))
    return _unavailable("Part of the system is busy or restarting. Please try again.")


def _database_unavailable(exception: Exception) -> Response:
    cause = exception.orig if isinstance(exception, DBAPIError) else exception
    log.warning("database unavailable", reason=type(cause).__name__, sqlstate=_sqlstate(cause))
    return _unavailable("The service is busy or restarting. Please try again.")


def _transaction_ended(exception: InternalError) -> Response:
    """Postgres ended the transaction, as after too long a pause in it; anything else is a bug."""
    if str(_sqlstate(exception.orig)).startswith(INVALID_TRANSACTION_STATE):
        return _database_unavailable(exception)
    return _unexpected(exception)


def _out_of_range(exception: DataError) -> Response:
    """A value of the right type that its column cannot hold, such as 10^30 seats."""
    log.warning("value out of range", sqlstate=_sqlstate(exception.orig))
    return problem_response(
        Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "INVALID_FIELDS",
            "A value is too large. Please check what you sent.",
        )
    )


def _no_room(exception: OSError) -> Response:
    """The disk is full, as when a large body is put aside; anything else is a bug."""
    if exception.errno not in NO_ROOM:
        return _unexpected(exception)
    log.warning("no room on the disk")
    return problem_response(
        Problem(
            HTTPStatus.INSUFFICIENT_STORAGE,
            "STORAGE_FULL",
            "There is no room for this at the moment. Please try again later.",
        )
    )


def _unavailable(error: str) -> Response:
    return problem_response(
        Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "UNAVAILABLE",
            error,
            headers={"Retry-After": RETRY_AFTER_SECONDS},
        )
    )


def _sqlstate(cause: object) -> str | None:
    return getattr(cause, "sqlstate", None)


def _unexpected(exception: Exception) -> Response:
    log.error("unexpected error", exc_info=exception)
    return problem_response(
        Problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "INTERNAL_ERROR",
            "Something went wrong on our side. Please tell us the request id.",
        )
    )

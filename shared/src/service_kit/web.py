"""The Flask app every service is: checks, errors, logs, metrics and documentation in one order."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIEnvironment

import structlog
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask, Request, Response, g, jsonify, request
from flask_smorest import Api
from marshmallow import fields

from service_kit import deadline, draining, metrics, request_ids, tracing
from service_kit.access import EVERYONE, Credentials, allow, guard, require_declarations
from service_kit.openapi import OtherNumber, ProblemSchema
from service_kit.problems import MEDIA_TYPE as PROBLEM
from service_kit.problems import Problem, register_problem_handlers, register_refusals
from service_kit.public_api import public_part
from service_kit.rate_limits import RateLimits
from service_kit.routes import Blueprint
from service_kit.tokens import TokenVerifier

log = structlog.get_logger(__name__)

SECURITY: Mapping[Credentials, list[dict[str, list[str]]]] = {
    Credentials.NONE: [],
    Credentials.PERSON: [{"session": []}, {"apiToken": []}],
    Credentials.SERVICE: [{"serviceToken": []}],
}
IF_NONE_MATCH: Mapping[str, Any] = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "the `ETag` of an answer that is known already",
}
REQUEST_ID, TIME_LEFT = (
    "HTTP_" + header.upper().replace("-", "_") for header in (request_ids.HEADER, deadline.HEADER)
)
QUIET_ROUTES = {"/healthz", "/readyz", "/metrics"}


@dataclass(frozen=True, slots=True)
class ServiceDescription:
    """What the API documentation says about a service."""

    name: str
    title: str
    version: str
    summary: str


@dataclass(frozen=True, slots=True)
class ReadyAnswer:
    """An answer that everybody may have, made before the request for it is looked at."""

    route: str  # that would give it
    status: HTTPStatus
    headers: Sequence[tuple[str, str]]
    body: bytes = b""


_LONGEST_BODY_BYTES = 8 * 2**20  # more than any route takes
_CHUNK_BYTES = 2**16

FindReadyAnswer = Callable[[WSGIEnvironment], ReadyAnswer | None]


def _nothing_is_ready(_environ: WSGIEnvironment) -> None:
    pass


class _App(Flask):
    """A Flask with what is done before and after each request, and only synchronous functions.

    Hooks of Flask would take several times as long, and every request pays for them.
    """

    def __init__(self, name: str, find_ready_answer: FindReadyAnswer) -> None:
        super().__init__(name, static_folder=None)
        self._find_ready_answer = find_ready_answer

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        began = time.perf_counter()
        request_id = request_ids.begin_request(environ.get(REQUEST_ID))
        until = deadline.start(environ.get(TIME_LEFT))
        ready = self._find_ready_answer(environ)

        def start(
            status: str, headers: list[tuple[str, str]], *error: Any
        ) -> Callable[[bytes], object]:
            route = ready.route if ready else _route_of(environ["werkzeug.request"])
            seconds = time.perf_counter() - began
            _note(environ["REQUEST_METHOD"], route, int(status[:3]), seconds)
            if not any(name == "Cache-Control" for name, _ in headers):
                headers.append(("Cache-Control", "no-store"))
            headers.append((request_ids.HEADER, request_id))
            headers.append(("X-Content-Type-Options", "nosniff"))
            return start_response(status, headers, *error)

        try:
            if ready is not None:
                start(f"{ready.status.value} {ready.status.phrase}", list(ready.headers))
                return [ready.body]
            answer = super().wsgi_app(environ, start)
            _read_to_its_end(environ)
            return answer
        finally:
            deadline.end(until)


def _read_to_its_end(environ: WSGIEnvironment) -> None:
    """Leave nothing of a long body that was refused unread.

    gunicorn reads 64 KB of it and ends the connection, and whoever still sends never hears the
    answer: the gateway would say 503. It has all of a body before it sends any.
    """
    if len(environ.get("CONTENT_LENGTH", "")) < len("10000"):
        return
    if not environ.get("wsgi.input_terminated"):
        return  # another server, whose stream does not say where a body ends
    body, left = environ["wsgi.input"], _LONGEST_BODY_BYTES
    with suppress(OSError):  # who sends it is gone
        while left > 0 and (chunk := body.read(min(_CHUNK_BYTES, left))):
            left -= len(chunk)


def _route_of(asked: Request) -> str | None:
    return asked.url_rule.rule if asked.url_rule else None


def _note(method: str, route: str | None, status: int, seconds: float) -> None:
    """Count and log a request that has its answer."""
    metrics.requests_of(method, route, status).observe(seconds)
    if route not in QUIET_ROUTES:
        ms = round(seconds * 1000, 1)
        log.info("request", method=method, route=route, status=status, ms=ms)


def service_app(
    description: ServiceDescription,
    *,
    blueprints: Sequence[Blueprint],
    refusals: tuple[type[Exception], Mapping[type[Exception], HTTPStatus]],
    verifier: TokenVerifier | None,
    rates: RateLimits | None = None,
    ready: Callable[[], None],
    find_ready_answer: FindReadyAnswer = _nothing_is_ready,
) -> Flask:
    """Build the app from its routes and the one table of refusals.

    Args:
        description: name and text for the documentation.
        blueprints: the routes, each with a declared access rule.
        refusals: the service's base refusal and the status of each of its subclasses.
        verifier: checks the callers' tokens; None only to write the documentation.
        rates: counts who asks how often; None: nobody is counted.
        ready: raises if the service cannot serve; called by `GET /readyz`, unless the database is
            excluded: `GET /readyz?exclude=database` asks only whether new requests are welcome.
        find_ready_answer: returns what needs no look at the request, None if it does. Nothing
            checks who asks. It is not used while requests are traced.

    Raises:
        RuntimeError: a route does not declare who may call it.
    """
    app = _App(description.name, _nothing_is_ready if tracing.on() else find_ready_answer)
    app.url_map.strict_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]
    if tracing.on():
        _trace_each_request(app)
    register_problem_handlers(app)
    register_refusals(app, *refusals)
    guard(app, verifier, rates)
    api = _document(app, description)
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    _add_operations(app, api, ready)
    require_declarations(app)
    return app


def _trace_each_request(app: Flask) -> None:
    @app.before_request
    def begin() -> None:
        route = request.url_rule.rule if request.url_rule else None
        if route in QUIET_ROUTES:
            return
        said = {
            "http.request.method": request.method,
            "http.route": route or "(unknown)",
            "request.id": request_ids.current_request_id() or "",
        }
        opened = ExitStack()
        name, parent = (
            f"{request.method} {route or ''}".strip(),
            request.headers.get(tracing.HEADER),
        )
        g.span = opened.enter_context(tracing.span(name, tracing.Kind.SERVER, said, parent=parent))
        g.span_opened = opened

    @app.after_request
    def finish(response: Response) -> Response:
        if span := g.get("span"):
            span.say({"http.response.status_code": response.status_code})
            if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                span.fail(str(response.status_code))
        return response

    @app.teardown_request
    def close(_error: BaseException | None) -> None:
        if opened := g.pop("span_opened", None):
            opened.close()


def _document(app: Flask, description: ServiceDescription) -> Api:
    app.config.update(
        API_TITLE=description.title,
        API_VERSION=description.version,
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={
            "info": {"description": description.summary},
            "components": {
                "securitySchemes": {
                    "session": {
                        "type": "apiKey",
                        "in": "cookie",
                        "name": "next-auth.session-token",
                    },
                    "apiToken": {"type": "http", "scheme": "bearer"},
                    "serviceToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                }
            },
        },
    )
    return ProblemApi(app)


class ProblemApi(Api):
    """flask-smorest's Api with this API's errors and its fields, as they are documented."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.register_field(OtherNumber, "number", None)
        self.init_app(app)
        self.ma_plugin.converter.add_attribute_function(_pattern_for_everybody)

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            if status >= HTTPStatus.BAD_REQUEST:
                self._register_problem(status.name, status.phrase)
        self._register_problem(self.DEFAULT_ERROR_RESPONSE_NAME, "any other refusal or fault")

    def _register_problem(self, name: str, description: str) -> None:
        content = {PROBLEM: {"schema": ProblemSchema}}
        response = {"description": description, "content": content}
        self.spec.components.response(name, response, lazy=True)

    def _register_error_handlers(self) -> None:
        """Leave errors to `service_kit.problems`."""


def _add_operations(app: Flask, api: Api, ready: Callable[[], None]) -> None:
    @app.get("/healthz")
    @allow(EVERYONE)
    def healthz() -> Response:
        return jsonify(status="ok")

    @app.get("/readyz")
    @allow(EVERYONE)
    def readyz() -> Response:
        _require_ready(ready)
        return jsonify(status="ready")

    @app.get("/metrics")
    @allow(EVERYONE)
    def get_metrics() -> Response:
        return metrics.metrics_response()

    @cache
    def public_document() -> bytes:
        return jsonify(public_part(openapi_document(app, api))).get_data()

    @app.get("/openapi.json")
    @allow(EVERYONE)
    def openapi() -> Response:
        if request.args.get("part") != "public":
            return jsonify(openapi_document(app, api))
        response = Response(public_document(), mimetype="application/json")
        response.headers["Cache-Control"] = "no-cache"  # to be asked again, by its ETag
        response.add_etag()
        return cast("Response", response.make_conditional(request))

    app.extensions["openapi"] = lambda: openapi_document(app, api)


def _require_ready(ready: Callable[[], None]) -> None:
    if draining.begun():
        raise _not_ready("This process is about to stop.")
    if request.args.get("exclude") == "database":
        return
    try:
        ready()
    except Exception as error:
        log.warning("not ready", reason=type(error).__name__)
        raise _not_ready("This service cannot serve at the moment.") from error


def _not_ready(text: str) -> Problem:
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return Problem(status, "NOT_READY", text, headers={"Retry-After": "1"})


def openapi_document(app: Flask, api: Api) -> dict[str, Any]:
    """Return the service's OpenAPI document, with who may call each operation as `x-access`."""
    document: dict[str, Any] = api.spec.to_dict()
    for rule in app.url_map.iter_rules():
        access = getattr(app.view_functions[rule.endpoint], "__access__", None)
        path = document["paths"].get(_openapi_path(rule.rule))
        for method in rule.methods or ():
            operation = (path or {}).get(method.lower())
            if operation is not None and access is not None:
                operation["x-access"] = access.name
                operation["security"] = SECURITY[access.credentials]
                _document_conditions(operation)
    return document


def _document_conditions(operation: dict[str, Any]) -> None:
    """Say what makes an operation answer 304, if it does."""
    parameters = operation.get("parameters", [])
    if str(int(HTTPStatus.NOT_MODIFIED)) in operation["responses"]:
        others = [each for each in parameters if each != IF_NONE_MATCH]
        operation["parameters"] = [*others, IF_NONE_MATCH]


def _pattern_for_everybody(
    _converter: OpenAPIConverter, _field: fields.Field[Any], ret: dict[str, Any], **_kwargs: Any
) -> dict[str, str]:
    """Return a field's pattern as other languages write it; ours match from the start of a text."""
    if "pattern" not in ret:
        return {}
    return {"pattern": "^" + ret["pattern"].removeprefix("^").replace(r"\Z", "$")}


def _openapi_path(rule: str) -> str:
    return "".join(
        f"{{{part.split('>')[0].split(':')[-1]}}}{part.split('>', 1)[1]}" if ">" in part else part
        for part in rule.split("<")
    )

"""A stand-in for a service, made from its API document: it holds callers to what that says."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import jsonschema_rs
from werkzeug import Request, Response

from contracts.documents import Document, Operation, Schema, committed, operations
from devstack.listening import listening

_OF_THE_TRANSPORT = frozenset(
    {
        *("accept", "accept-encoding", "authorization", "connection", "content-length"),
        *("content-type", "host", "user-agent"),
        *("traceparent", "x-request-id", "x-request-timeout"),
    }
)
NO_SUCH = "there is no such operation"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the stand-in says to whoever asks."""

    status: int
    body: Any = None
    media_type: str = "application/json"


@dataclass(slots=True)
class Provider:
    """A service as it is documented; it answers what a test has it answer."""

    service: str
    document: Document
    url: str = ""
    answer: Callable[[Request], Answer] = lambda _request: Answer(500)
    asked: list[str] = field(default_factory=list)  # operations, in order
    complaints: list[str] = field(default_factory=list)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Look at a request, as WSGI has it, and answer."""
        request = Request(environ)
        complaints = list(self._complaints(request))
        self.complaints += complaints
        said = Answer(400, {"error": complaints}) if complaints else self.answer(request)
        body = b"" if said.body is None else json.dumps(said.body).encode()
        response = Response(body, said.status, content_type=said.media_type)
        return response(environ, start_response)

    def _complaints(self, request: Request) -> Iterator[str]:
        for operation in operations(self.document):
            if match := operation.matches(request.method, request.path):
                self.asked.append(str(operation))
                for what in self._objections(operation, request, match.groupdict()):
                    yield f"{self.service}: {operation}: {what}"
                return
        yield f"{self.service}: {NO_SUCH} as {request.method} {request.path}"

    def _objections(
        self, operation: Operation, request: Request, in_path: Mapping[str, str]
    ) -> Iterator[str]:
        sent = {
            "path": dict(in_path),
            "query": {k: v[-1] for k, v in parse_qs(request.query_string.decode()).items()},
            "header": {
                name.lower(): value
                for name, value in request.headers
                if name.lower() not in _OF_THE_TRANSPORT
            },
        }
        for parameter in operation.parameters:
            place, name = parameter["in"], parameter["name"]
            text = sent.get(place, {}).pop(name.lower() if place == "header" else name, None)
            if text is not None:
                value = _parsed(parameter, text)
                yield from self._misfits(parameter["schema"], value, f"{place}: {name}")
            elif parameter.get("required"):
                yield f"{place}: {name} is missing"
        for place, left in sent.items():
            yield from (f"{place}: {name} is not documented" for name in left)
        yield from self._objections_to_body(operation, request)
        yield from self._objections_to_token(operation, request)

    def _objections_to_body(self, operation: Operation, request: Request) -> Iterator[str]:
        content = operation.body.get("content", {})
        raw = request.get_data()
        if not raw:
            if operation.body.get("required"):
                yield "there is no body"
            return
        if request.mimetype not in content:
            yield f"the body is {request.mimetype}"
            return
        is_form = request.mimetype == "application/x-www-form-urlencoded"
        body = {k: v[-1] for k, v in parse_qs(raw.decode()).items()} if is_form else json.loads(raw)
        yield from self._misfits(content[request.mimetype]["schema"], body, "body")

    def _objections_to_token(self, operation: Operation, request: Request) -> Iterator[str]:
        if operation.scope is None:
            return
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token != token_for(self.service, operation.scope):
            yield f"the token is not for {self.service} and {operation.scope}"

    def _misfits(self, schema: Schema, value: Any, where: str) -> Iterator[str]:
        for error in validator(self.document, schema).iter_errors(value):
            at = ".".join(map(str, (where, *error.instance_path)))
            yield f"{at}: {error.message}"


def validator(document: Document, schema: Schema) -> jsonschema_rs.Draft202012Validator:
    """Return what tells whether values are as a schema of a document says, formats included."""
    whole = {**schema, "components": document.get("components", {})}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def token_for(audience: str, scope: str) -> str:
    """Return the token with which a service is asked for something in these tests."""
    return base64.urlsafe_b64encode(f"{audience} {scope}".encode()).decode()


@contextmanager
def serving(service: str) -> Iterator[Provider]:
    """Have a stand-in for a service listen inside the block."""
    provider = Provider(service, committed(service))
    with listening(provider) as provider.url:
        yield provider


def _parsed(parameter: Mapping[str, Any], text: str) -> Any:
    """Return a parameter's value: a list by its commas, a number as a number."""
    schema = parameter["schema"]
    if schema.get("type") == "array":
        return text.split(",")
    if schema.get("type") in {"integer", "number", "boolean"}:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text

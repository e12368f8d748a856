"""What every service's app does with any request, shown on an app of two routes."""

import errno
import json
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from marshmallow import fields, validate
from werkzeug.test import TestResponse

from service_kit.access import (
    EVERYONE,
    MAX_BODY_BYTES,
    SIGNED_IN,
    allow,
    at_most,
    current_caller,
    with_second_factor,
)
from service_kit.openapi import Schema
from service_kit.routes import Blueprint
from service_kit.testing import TokenIssuer
from service_kit.web import ServiceDescription, service_app

ISSUER = TokenIssuer()
ABOUT = ServiceDescription("things", "Things", "1", "Things.")


class ThingError(Exception):
    code = "THING_REFUSED"


class TooManyThings(ThingError):
    """There are too many things already."""

    code = "TOO_MANY_THINGS"
    retry_after_seconds = 7


class ThingRequest(Schema):
    full_name = fields.String(required=True, validate=validate.Length(1, 10))


def things() -> Blueprint:
    blp = Blueprint("things", __name__)

    @blp.post("/things")
    @allow(SIGNED_IN)
    @blp.arguments(ThingRequest)
    @blp.response(201)
    def post_thing(body: dict[str, Any]) -> dict[str, Any]:
        """Make a thing"""
        if body["full_name"] == "many":
            raise TooManyThings
        if body["full_name"] == "bug":
            raise KeyError("secret detail")
        if body["full_name"] == "full":
            raise OSError(errno.ENOSPC, "No space left on device", "secret")
        return {"by": str(current_caller().id), **body}

    @blp.patch("/things")
    @allow(with_second_factor(SIGNED_IN))
    @blp.response(200)
    def patch_things() -> dict[str, Any]:
        """Change all things"""
        return {}

    @blp.put("/things")
    @allow(EVERYONE)
    @at_most(MAX_BODY_BYTES + 10)
    @blp.arguments(ThingRequest)
    @blp.response(200)
    def put_thing(_body: dict[str, Any]) -> dict[str, Any]:
        """Replace a thing"""
        return {}

    @blp.get("/things")
    @allow(EVERYONE)
    @blp.response(200)
    def get_things() -> dict[str, Any]:
        """List things"""
        return {"things": []}

    return blp


@pytest.fixture
def client() -> FlaskClient:
    app = service_app(
        ABOUT,
        blueprints=[things()],
        refusals=(ThingError, {TooManyThings: HTTPStatus.CONFLICT}),
        verifier=ISSUER.verifier("things"),
        ready=lambda: None,
    )
    return app.test_client()


@pytest.fixture
def signed_in() -> dict[str, str]:
    return ISSUER.user(uuid4())


def test_a_route_without_an_access_rule_stops_the_build() -> None:
    blp = Blueprint("open", __name__)
    blp.get("/open")(lambda: "")

    with pytest.raises(RuntimeError, match="/open"):
        service_app(
            ABOUT, blueprints=[blp], refusals=(ThingError, {}), verifier=None, ready=lambda: None
        )


def test_a_route_can_ask_for_the_second_factor(client: FlaskClient) -> None:
    once = client.patch("/things", headers=ISSUER.user(uuid4()))
    twice = client.patch("/things", headers=ISSUER.user(uuid4(), claims={"amr": ["oidc", "mfa"]}))

    assert client.patch("/things").status_code == 401
    assert once.status_code == 403
    assert once.json is not None
    assert once.json["code"] == "SECOND_FACTOR_REQUIRED"
    assert twice.status_code == 200


def test_a_refusal_is_a_problem_with_its_public_code(
    client: FlaskClient, signed_in: dict[str, str]
) -> None:
    answer = client.post("/things", json={"fullName": "many"}, headers=signed_in)

    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Retry-After"] == "7"
    assert answer.json == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "There are too many things already.",
        "instance": "/things",
        "error": "There are too many things already.",
        "code": "TOO_MANY_THINGS",
        "requestId": answer.headers["X-Request-ID"],
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "fullName"),
        ({"fullName": ""}, "fullName"),
        ({"fullName": "a\x00b"}, "fullName"),
        ({"fullName": "a\ud800b"}, "fullName"),
        ({"fullName": "a", "b": 1}, "b"),
        ({"fullName": "a", "\ud800": 1}, "\ud800"),
    ],
)
def test_invalid_fields_are_named_as_on_the_wire(
    client: FlaskClient, signed_in: dict[str, str], body: dict[str, Any], field: str
) -> None:
    answer = client.post("/things", json=body, headers=signed_in)

    assert (answer.status_code, answer.json["code"]) == (422, "INVALID_FIELDS")
    assert list(answer.json["errors"]) == [field]
    assert answer.json["error"].startswith(field)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("DELETE", "/things", 405), ("POST", "/things", 401)],
)
def test_every_error_is_a_problem(client: FlaskClient, method: str, path: str, status: int) -> None:
    answer = client.open(path, method=method)

    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json["requestId"]


@pytest.mark.parametrize("time_left", ["9" * 400, "9" * 5000, "-1", "soon", "1e9", ""])
def test_a_time_left_that_is_none_says_nothing(client: FlaskClient, time_left: str) -> None:
    assert client.get("/healthz", headers={"X-Request-Timeout": time_left}).status_code == 200


def test_a_bug_is_answered_without_a_word_about_it(
    client: FlaskClient, signed_in: dict[str, str]
) -> None:
    answer = client.post("/things", json={"fullName": "bug"}, headers=signed_in)

    assert (answer.status_code, answer.json["code"]) == (500, "INTERNAL_ERROR")
    assert "secret detail" not in answer.text


def test_a_full_disk_is_507_without_a_word_about_it(
    client: FlaskClient, signed_in: dict[str, str]
) -> None:
    response = client.post("/things", json={"fullName": "full"}, headers=signed_in)

    assert (response.status_code, response.get_json()["code"]) == (507, "STORAGE_FULL")
    assert "secret" not in response.text


@pytest.mark.parametrize(
    ("method", "limit"), [("POST", MAX_BODY_BYTES), ("PUT", MAX_BODY_BYTES + 10)]
)
def test_a_body_is_as_large_as_its_route_allows_at_most(
    client: FlaskClient, signed_in: dict[str, str], method: str, limit: int
) -> None:
    def send(size: int) -> TestResponse:
        body = json.dumps({"fullName": "x"}).encode().ljust(size)
        return client.open(
            "/things", method=method, data=body, headers=signed_in, content_type="application/json"
        )

    assert send(limit).status_code < 300
    refused = send(limit + 1)
    assert (refused.status_code, refused.mimetype) == (413, "application/problem+json")
    assert "1.0 MiB" in refused.get_json()["error"]


def test_a_body_that_is_not_json_is_415(client: FlaskClient, signed_in: dict[str, str]) -> None:
    answer = client.post("/things", data="{}", content_type="text/plain", headers=signed_in)

    assert answer.status_code == 415


@pytest.mark.parametrize(
    "body",
    ["{", "[" * 100_000, '{"fullName": ' + "9" * 6_000 + "}", b"\xff\xfe"],
    ids=["broken off", "nested without end", "a number without end", "no text"],
)
def test_an_unreadable_body_is_400(
    client: FlaskClient, signed_in: dict[str, str], body: str | bytes
) -> None:
    answer = client.post("/things", data=body, content_type="application/json", headers=signed_in)

    assert answer.status_code == 400


def test_other_credentials_than_bearer_tokens_are_refused(client: FlaskClient) -> None:
    assert client.get("/things", headers={"Authorization": "Basic x"}).status_code == 401


def test_the_callers_request_id_is_kept_and_a_harmful_one_is_not(client: FlaskClient) -> None:
    kept = client.get("/things", headers={"X-Request-ID": "0123456789-abc"})
    replaced = client.get("/things", headers={"X-Request-ID": 'x" injected'})

    assert kept.headers["X-Request-ID"] == "0123456789-abc"
    assert "injected" not in replaced.headers["X-Request-ID"]


def test_answers_are_not_stored_unless_a_route_says_so(client: FlaskClient) -> None:
    assert client.get("/things").headers["Cache-Control"] == "no-store"


def test_metrics_count_requests_by_route(client: FlaskClient) -> None:
    client.get("/things")

    assert 'route="/things"' in client.get("/metrics").text


def test_a_service_that_cannot_serve_says_so() -> None:
    def fail() -> None:
        raise OSError("no database")

    app = service_app(ABOUT, blueprints=[], refusals=(ThingError, {}), verifier=None, ready=fail)

    assert app.test_client().get("/readyz").status_code == 503
    assert app.test_client().get("/readyz?exclude=database").status_code == 200
    assert app.test_client().get("/healthz").status_code == 200


def test_what_a_route_takes_is_built_once_and_not_for_every_request() -> None:
    built = []

    class CountedRequest(ThingRequest):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            built.append(self)
            super().__init__(*args, **kwargs)

    blp = Blueprint("counted", __name__)

    @blp.post("/counted")
    @allow(EVERYONE)
    @blp.arguments(CountedRequest)
    @blp.response(200)
    def post_counted(body: dict[str, Any]) -> dict[str, Any]:
        """Count"""
        return body

    app = service_app(
        ABOUT, blueprints=[blp], refusals=(ThingError, {}), verifier=None, ready=lambda: None
    )
    client, before = app.test_client(), len(built)

    answers = [client.post("/counted", json={"fullName": name}) for name in ("a", "", "c")]

    assert [answer.status_code for answer in answers] == [200, 422, 200]
    assert len(built) == before


def test_the_api_document_says_who_may_call_what(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json

    assert document["openapi"].startswith("3.1")
    assert document["paths"]["/things"]["post"]["x-access"] == "signed in"
    assert document["paths"]["/things"]["get"]["security"] == []

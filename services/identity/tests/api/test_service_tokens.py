"""How services get tokens, and how everybody verifies them."""

from http import HTTPStatus
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from services.identity.tests.conftest import PUBLIC_URL
from werkzeug.test import TestResponse

from identity_service.usecases.register_service_client import register_service_client
from identity_service.wiring import Wiring
from service_kit.tokens import CallingService, InvalidToken, TokenVerifier

SECRET = "the-secret-of-a-service-in-these-tests"
GRANTS = {
    "booking": frozenset({"booking:offers:write", "booking:availability:read"}),
    "identity": frozenset({"identity:people:read"}),
}


@pytest.fixture
def service(use: Wiring) -> str:
    name = f"service-{uuid4().hex}"
    register_service_client(use.begin, client_id=name, secret=SECRET, grants=GRANTS)
    return name


def ask(
    client: FlaskClient,
    service: str,
    *,
    secret: str = SECRET,
    audience: str = "booking",
    scope: str = "booking:offers:write",
    **form: str,
) -> TestResponse:
    asked = {"grant_type": "client_credentials", "audience": audience, "scope": scope, **form}
    return client.post("/oauth/token", data=asked, auth=(service, secret))


def verifier(use: Wiring, service: str) -> TokenVerifier:
    return TokenVerifier(use.keyring.public_keys, issuer=PUBLIC_URL, service=service)


def assert_refused(answer: TestResponse, status: HTTPStatus, error: str) -> None:
    assert answer.json is not None
    assert (answer.status_code, answer.json["error"]) == (status, error)
    assert answer.json["code"] == error.upper()
    assert answer.json["requestId"]


def test_a_service_gets_a_token_that_opens_its_audience_only(
    client: FlaskClient, service: str, use: Wiring
) -> None:
    answer = ask(client, service, scope="booking:availability:read booking:offers:write")

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    granted = answer.json
    assert granted is not None
    assert granted["token_type"] == "Bearer"
    assert granted["expires_in"] == 600
    assert granted["scope"] == "booking:availability:read booking:offers:write"
    token = granted["access_token"]
    assert verifier(use, "booking").verify(token) == CallingService(
        service, frozenset({"booking:availability:read", "booking:offers:write"})
    )
    with pytest.raises(InvalidToken):
        verifier(use, "catalog").verify(token)


def test_basic_credentials_that_are_no_text_are_refused(client: FlaskClient) -> None:
    answer = client.post(
        "/oauth/token",
        data={"grant_type": "client_credentials", "audience": "booking", "scope": "x"},
        headers={"Authorization": "Basic //46eA=="},
    )

    assert answer.status_code == 401


def test_a_service_can_ask_identity_itself(client: FlaskClient, service: str) -> None:
    granted = ask(client, service, audience="identity", scope="identity:people:read").json
    assert granted is not None

    answer = client.get(
        f"/internal/people?ids={uuid4()}",
        headers={"Authorization": f"Bearer {granted['access_token']}"},
    )

    assert (answer.status_code, answer.json) == (200, {"people": []})


@pytest.mark.parametrize(
    ("audience", "scope"),
    [
        ("booking", "booking:purge-user"),
        ("booking", "booking:offers:write booking:purge-user"),
        ("booking", "identity:people:read"),
        ("booking", "*"),
        ("catalog", "booking:offers:write"),
        ("booking identity", "booking:offers:write"),
        ("booking", ""),
        ("", "booking:offers:write"),
    ],
)
def test_a_service_gets_no_scope_that_it_was_not_given(
    client: FlaskClient, service: str, audience: str, scope: str
) -> None:
    answer = ask(client, service, audience=audience, scope=scope)

    assert_refused(answer, HTTPStatus.BAD_REQUEST, "invalid_scope")


def test_one_token_is_for_one_audience(client: FlaskClient, service: str) -> None:
    form = "grant_type=client_credentials&scope=booking:offers:write&audience=booking"
    for twice in (f"{form}&audience=identity", f"{form}&scope=booking:availability:read"):
        answer = client.post(
            "/oauth/token",
            data=twice,
            auth=(service, SECRET),
            content_type="application/x-www-form-urlencoded",
        )

        assert_refused(answer, HTTPStatus.BAD_REQUEST, "invalid_request")


@pytest.mark.parametrize("missing", ["audience", "scope"])
def test_a_request_without_audience_or_scope_is_refused(
    client: FlaskClient, service: str, missing: str
) -> None:
    form = {
        "grant_type": "client_credentials",
        "audience": "booking",
        "scope": "booking:offers:write",
    }
    del form[missing]

    answer = client.post("/oauth/token", data=form, auth=(service, SECRET))

    assert_refused(answer, HTTPStatus.BAD_REQUEST, "invalid_request")


def test_a_wrong_secret_or_an_unknown_service_gets_nothing(
    client: FlaskClient, service: str
) -> None:
    for answer in (
        ask(client, service, secret="guessed"),
        ask(client, f"{service}-x"),
        ask(client, service, secret="\x00"),
        ask(client, "\x00"),
    ):
        assert_refused(answer, HTTPStatus.UNAUTHORIZED, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_secret_in_the_body_or_a_token_instead_of_it_is_not_accepted(
    client: FlaskClient, service: str
) -> None:
    form = {
        "grant_type": "client_credentials",
        "audience": "booking",
        "scope": "booking:offers:write",
        "client_id": service,
        "client_secret": SECRET,
    }

    in_the_body = client.post("/oauth/token", data=form)
    bearer = client.post("/oauth/token", data=form, headers={"Authorization": "Bearer x.y.z"})

    assert_refused(in_the_body, HTTPStatus.UNAUTHORIZED, "invalid_client")
    assert_refused(bearer, HTTPStatus.UNAUTHORIZED, "invalid_client")


@pytest.mark.parametrize("grant_type", ["password", "authorization_code", "refresh_token", ""])
def test_other_grants_are_not_supported(client: FlaskClient, service: str, grant_type: str) -> None:
    answer = ask(client, service, grant_type=grant_type)

    assert_refused(answer, HTTPStatus.BAD_REQUEST, "unsupported_grant_type")


def test_a_token_request_must_be_a_form(client: FlaskClient, service: str) -> None:
    answer = client.post(
        "/oauth/token", json={"grant_type": "client_credentials"}, auth=(service, SECRET)
    )

    assert answer.status_code == 415


def test_while_a_secret_is_replaced_both_are_valid_and_then_the_old_one_ends(
    client: FlaskClient, service: str, use: Wiring
) -> None:
    def works(secret: str) -> bool:
        return ask(client, service, secret=secret).status_code == 200

    for secret in ("second" * 8, "second" * 8):  # repeating it changes nothing
        register_service_client(use.begin, client_id=service, secret=secret, grants=GRANTS)
    assert (works(SECRET), works("second" * 8)) == (True, True)

    register_service_client(use.begin, client_id=service, secret="third" * 8, grants=GRANTS)
    assert (works(SECRET), works("second" * 8), works("third" * 8)) == (False, True, True)


def test_the_published_keys_are_public(client: FlaskClient) -> None:
    answer = client.get("/.well-known/jwks.json")

    assert answer.status_code == 200
    assert answer.json is not None
    for key in answer.json["keys"]:
        assert {"kid", "kty", "crv", "x", "y", "use", "alg"} == set(key)
        assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")

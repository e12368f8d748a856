"""API tokens and sessions as their owner handles them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from services.identity.tests.conftest import (
    ADMIN_EMAIL,
    PUBLIC_URL,
    Browser,
    OpenBrowser,
    caller_of,
    make_identity,
    some_email,
)
from sqlalchemy import text
from werkzeug.test import TestResponse

from identity_service.domain.api_tokens import MAX_PER_PERSON, bearer_api_token
from identity_service.domain.errors import TooManyApiTokens
from identity_service.usecases.create_api_token import create_api_token
from identity_service.usecases.recognise_person import recognise_person
from identity_service.wiring import Wiring

NOBODYS = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def signed_in(browser: Browser) -> Browser:
    browser.sign_in(some_email())
    return browser


@pytest.fixture
def bearer(signed_in: Browser) -> dict[str, str]:
    return signed_in.bearer()


def make_token(browser: Browser, **body: Any) -> dict[str, Any]:
    answer = browser.client.post(
        "/api/auth/tokens", json={"name": "box office", **body}, headers=browser.bearer()
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json or {})


def exchange(client: FlaskClient, authorization: str, method: str = "GET") -> TestResponse:
    return client.get(
        "/auth/exchange",
        headers={
            "X-Forwarded-Method": method,
            "X-Forwarded-Uri": "/api/v1/bookings",
            "X-Client-Authorization": authorization,
        },
    )


def days_between(use: Wiring, token_id: str) -> float:
    with use.engine.connect() as connection:
        return float(
            connection.execute(
                text(
                    "SELECT extract(epoch FROM expires_at - created_at) / 86400 "
                    "FROM identity.api_token WHERE id = :id"
                ),
                {"id": token_id},
            ).scalar_one()
        )


def test_a_token_is_shown_once_and_listed_without_its_secret(signed_in: Browser) -> None:
    made = make_token(signed_in)

    listed = signed_in.get("/api/auth/tokens", headers=signed_in.bearer())

    assert made["token"].startswith("cc_")
    assert len(made["token"]) == 3 + 43  # 256 random bits
    assert listed.json == {
        "tokens": [{name: value for name, value in made.items() if name != "token"}]
    }
    assert made["token"] not in listed.text
    assert made["lastUsedAt"] is None
    assert listed.headers["Cache-Control"] == "no-store"


def test_of_a_token_only_the_hash_is_stored(signed_in: Browser, use: Wiring) -> None:
    made = make_token(signed_in)

    with use.engine.connect() as connection:
        rows = connection.execute(text("SELECT api_token::text FROM identity.api_token")).scalars()
        assert all(made["token"] not in row for row in rows)


def test_a_token_acts_for_its_owner_without_a_cookie_and_without_an_origin(
    signed_in: Browser, client: FlaskClient, use: Wiring
) -> None:
    made = make_token(signed_in)

    for method in ("GET", "POST", "DELETE"):
        caller = caller_of(exchange(client, f"Bearer {made['token']}", method), use)
        assert str(caller.id) == signed_in.session()["user"]["id"]
        assert (caller.session_id, caller.amr) == (made["id"], ("script",))
    assert exchange(client, f"bearer {made['token']}").status_code == 200


def test_a_token_wins_over_the_cookie(
    signed_in: Browser, open_browser: OpenBrowser, use: Wiring
) -> None:
    other = open_browser()
    other.sign_in(some_email())
    made = make_token(other)

    answer = signed_in.exchange("POST", X_Client_Authorization=f"Bearer {made['token']}")

    assert str(caller_of(answer, use).id) == other.session()["user"]["id"]


@pytest.mark.parametrize(
    ("asked", "days"), [({}, 90), ({"expiresInDays": 1}, 1), ({"expiresInDays": 365}, 365)]
)
def test_a_token_expires_after_ninety_days_unless_told_otherwise(
    signed_in: Browser, use: Wiring, asked: dict[str, int], days: int
) -> None:
    assert days_between(use, make_token(signed_in, **asked)["id"]) == pytest.approx(days)


def test_an_expired_token_is_worth_nothing(
    signed_in: Browser, client: FlaskClient, use: Wiring
) -> None:
    made = make_token(signed_in)
    with use.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE identity.api_token SET created_at = now() - interval '90 days', "
                "expires_at = now() WHERE id = :id"
            ),
            {"id": made["id"]},
        )

    assert exchange(client, f"Bearer {made['token']}").status_code == 401
    assert signed_in.get("/api/auth/tokens", headers=signed_in.bearer()).json == {"tokens": []}


def test_a_token_that_was_ended_is_refused_at_once(signed_in: Browser, client: FlaskClient) -> None:
    made = make_token(signed_in)
    assert exchange(client, f"Bearer {made['token']}").status_code == 200

    ended = client.delete(f"/api/auth/tokens/{made['id']}", headers=signed_in.bearer())

    assert ended.json == {"success": True, "ended": 1}
    assert exchange(client, f"Bearer {made['token']}").status_code == 401
    again = client.delete(f"/api/auth/tokens/{made['id']}", headers=signed_in.bearer())
    assert (again.status_code, again.json["code"]) == (404, "UNKNOWN_CREDENTIAL")


def test_the_use_of_a_token_is_noted(signed_in: Browser, client: FlaskClient) -> None:
    made = make_token(signed_in)
    exchange(client, f"Bearer {made['token']}")

    [listed] = signed_in.get("/api/auth/tokens", headers=signed_in.bearer()).json["tokens"]

    assert listed["lastUsedAt"] is not None
    assert listed["expiresAt"] == made["expiresAt"]


def test_somebody_elses_token_or_session_looks_like_one_that_does_not_exist(
    signed_in: Browser, open_browser: OpenBrowser
) -> None:
    other = open_browser()
    other.sign_in(some_email())
    token = make_token(other)
    [session] = other.get("/api/auth/sessions", headers=other.bearer()).json["sessions"]

    for kind, theirs in (("tokens", token["id"]), ("sessions", session["id"])):
        answers = [
            signed_in.client.delete(f"/api/auth/{kind}/{which}", headers=signed_in.bearer())
            for which in (theirs, NOBODYS)
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].json["error"] == answers[1].json["error"]
    assert other.exchange().status_code == 200
    assert exchange(other.client, f"Bearer {token['token']}").status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer cc_",
        "Bearer cc_short",
        "Bearer cc_" + "x" * 43,
        "Bearer cc_" + "x" * 4000,
        "Bearer CC_" + "x" * 43,
        "Basic cc_" + "x" * 43,
        "cc_" + "x" * 43,
        "Bearer  cc_" + "x" * 43,
        "Bearer cc_" + "x" * 43 + " ",
        "Bearer cc_" + "x" * 42 + "\xff",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
    ],
)
def test_what_is_no_token_of_ours_is_refused(client: FlaskClient, authorization: str) -> None:
    assert exchange(client, authorization).status_code == 401


def test_a_user_token_of_the_inside_is_no_credential_of_a_client(signed_in: Browser) -> None:
    inside = signed_in.bearer()["Authorization"]

    assert signed_in.exchange(X_Client_Authorization=inside).status_code == 401


def test_only_bearer_tokens_with_our_prefix_are_looked_up() -> None:
    assert bearer_api_token("Bearer cc_" + "x" * 43) == "cc_" + "x" * 43
    assert bearer_api_token("BEARER cc_" + "x" * 22) == "cc_" + "x" * 22
    assert bearer_api_token("Bearer cc_" + "x" * 21) is None
    assert bearer_api_token("") is None


def test_a_token_cannot_make_another_one(signed_in: Browser, client: FlaskClient) -> None:
    made = make_token(signed_in)
    as_script = exchange(client, f"Bearer {made['token']}").headers["Authorization"]

    answer = client.post(
        "/api/auth/tokens", json={"name": "x"}, headers={"Authorization": as_script}
    )

    assert answer.status_code == 403
    assert client.get("/api/auth/tokens", headers={"Authorization": as_script}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 101},
        {"name": "a\x00b"},
        {"name": "a\ud800b"},
        {"name": None},
        {"name": 7},
        {"name": "x", "expiresInDays": 0},
        {"name": "x", "expiresInDays": -1},
        {"name": "x", "expiresInDays": 366},
        {"name": "x", "expiresInDays": 10**30},
        {"name": "x", "expiresInDays": "90"},
        {"name": "x", "userId": NOBODYS},
        {"name": "x", "token": "cc_chosen"},
    ],
)
def test_a_token_with_a_strange_name_or_lifetime_is_not_made(
    client: FlaskClient, bearer: dict[str, str], body: dict[str, object]
) -> None:
    answer = client.post("/api/auth/tokens", json=body, headers=bearer)

    assert answer.status_code == 422, answer.text
    assert client.get("/api/auth/tokens", headers=bearer).json == {"tokens": []}


def test_a_person_has_at_most_twenty_tokens_even_if_asked_for_at_the_same_moment(
    use: Wiring,
) -> None:
    user_id = recognise_person(use.begin, use.policy, identity=make_identity())

    def make(_number: int) -> str:
        try:
            create_api_token(use.begin, user_id=user_id, name="x", lifetime=timedelta(days=1))
        except TooManyApiTokens:
            return "too many"
        return "made"

    with ThreadPoolExecutor(max_workers=8) as scripts:
        outcomes = list(scripts.map(make, range(MAX_PER_PERSON + 5)))

    assert outcomes.count("made") == MAX_PER_PERSON


def test_one_token_too_many_is_refused_until_one_is_ended(
    client: FlaskClient, signed_in: Browser, bearer: dict[str, str]
) -> None:
    made = [make_token(signed_in) for _ in range(MAX_PER_PERSON)]

    refused = client.post("/api/auth/tokens", json={"name": "x"}, headers=bearer)
    assert (refused.status_code, refused.json["code"]) == (409, "TOO_MANY_API_TOKENS")

    client.delete(f"/api/auth/tokens/{made[0]['id']}", headers=bearer)
    make_token(signed_in)


def test_somebody_who_is_gone_makes_no_token(
    client: FlaskClient, use: Wiring, signed_in: Browser, bearer: dict[str, str]
) -> None:
    user_id = signed_in.session()["user"]["id"]
    with use.engine.begin() as connection:
        connection.exec_driver_sql('DELETE FROM identity."user" WHERE id = %s', (user_id,))

    answer = client.post("/api/auth/tokens", json={"name": "x"}, headers=bearer)

    assert (answer.status_code, answer.json["code"]) == (401, "UNAUTHENTICATED")


def test_who_becomes_an_admin_loses_the_tokens_from_before(
    signed_in: Browser, client: FlaskClient, use: Wiring
) -> None:
    made = make_token(signed_in)
    with use.begin() as tx:
        person = tx.people.get(UUID(signed_in.session()["user"]["id"]))
    assert person is not None
    listed = make_identity(subject=person.email, email=ADMIN_EMAIL)

    recognise_person(use.begin, use.policy, identity=listed)

    assert exchange(client, f"Bearer {made['token']}").status_code == 401


def test_an_admin_who_is_no_longer_listed_loses_the_role_at_the_next_use_of_a_token(
    use: Wiring, browser: Browser
) -> None:
    browser.sign_in(ADMIN_EMAIL)
    made = make_token(browser)
    assert caller_of(exchange(browser.client, f"Bearer {made['token']}"), use).role == "ADMIN"

    unlisted = browser.served_by(use, admin_emails=frozenset())

    answer = exchange(unlisted.client, f"Bearer {made['token']}")
    assert caller_of(answer, use).role == "AUDIENCE"


def test_a_person_sees_her_sessions_and_which_is_this_one(
    signed_in: Browser, open_browser: OpenBrowser
) -> None:
    email = signed_in.session()["user"]["email"]
    phone = open_browser()
    phone.sign_in(email)

    listed = signed_in.get("/api/auth/sessions", headers=signed_in.bearer()).json["sessions"]

    assert len(listed) == 2
    assert [session["current"] for session in listed].count(True) == 1
    assert {"id", "createdAt", "lastSeenAt", "expiresAt", "current"} == set(listed[0])


def test_a_session_is_ended_from_another_one(signed_in: Browser, open_browser: OpenBrowser) -> None:
    phone = open_browser()
    phone.sign_in(signed_in.session()["user"]["email"])
    listed = signed_in.get("/api/auth/sessions", headers=signed_in.bearer()).json["sessions"]
    [lost] = [session["id"] for session in listed if not session["current"]]

    ended = signed_in.client.delete(f"/api/auth/sessions/{lost}", headers=signed_in.bearer())

    assert ended.json == {"success": True, "ended": 1}
    assert phone.exchange().status_code == 401
    assert phone.session() == {}
    assert signed_in.exchange().status_code == 200


def test_all_sessions_are_ended_at_once_and_nobody_elses(
    signed_in: Browser, open_browser: OpenBrowser
) -> None:
    phone, other = open_browser(), open_browser()
    phone.sign_in(signed_in.session()["user"]["email"])
    other.sign_in(some_email())

    ended = signed_in.client.delete("/api/auth/sessions", headers=signed_in.bearer())

    assert ended.json == {"success": True, "ended": 2}
    assert [each.exchange().status_code for each in (signed_in, phone, other)] == [401, 401, 200]


@pytest.mark.parametrize("kind", ["tokens", "sessions"])
def test_an_id_that_is_none_is_unknown(
    client: FlaskClient, bearer: dict[str, str], kind: str
) -> None:
    for strange in ("x", "%00", str(uuid4())):
        answer = client.delete(f"/api/auth/{kind}/{strange}", headers=bearer)
        assert answer.status_code == 404


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://evil.example"}, {"Origin": "null"}])
def test_another_sites_page_makes_no_token_and_ends_no_session(
    signed_in: Browser, headers: dict[str, str]
) -> None:
    for method in ("POST", "DELETE"):
        answer = signed_in.exchange(method, "/api/auth/tokens", **headers)
        assert (answer.status_code, answer.json["code"]) == (403, "CSRF")
    assert signed_in.exchange("POST", "/api/auth/tokens", Origin=PUBLIC_URL).status_code == 200

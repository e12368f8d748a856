"""What the gateway gets for a credential."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest
from joserfc import jwt
from services.identity.tests.conftest import (
    ADMIN_EMAIL,
    PUBLIC_URL,
    Browser,
    PersonFactory,
    caller_of,
    some_email,
)
from sqlalchemy import text

from identity_service.app import create_app
from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.people import OrganizerProfile
from identity_service.usecases.apply_as_creator import apply_as_creator
from identity_service.usecases.decide_application import decide_application
from identity_service.usecases.issue_user_token import LIFETIME_SECONDS
from identity_service.wiring import Wiring

SAFE = ["GET", "HEAD", "OPTIONS"]
UNSAFE = ["POST", "PUT", "PATCH", "DELETE"]
PUBLIC = [
    "/api/v1/shows/0190-a",
    "/api/v1/shows?mode=public",
    "/api/v1/shows?mode=discovery&q=x",
    "/api/v1/comedians",
    "/api/v1/comedians/0190-a",
    "/api/v1/media/shows/0190-a.webp",
    "/api/v1/config/public",
    "/api/v1/account-deletions/a-token",
]
PRIVATE = [
    "/api/v1/bookings",
    "/api/v1/shows?mode=manage",
    "/api/v1/shows?mode=public&mode=manage",
    "/api/v1/shows?mode=%6danage",
    "/api/v1/shows/0190-a/changes",
    "/api/v1/config/public/x",
    "/api/v1/comedian/profile",
    "/api/v1/admin/shows",
    "/api/auth/me",
    "",
]


@pytest.fixture
def signed_in(browser: Browser) -> Browser:
    browser.sign_in(some_email())
    return browser


@pytest.fixture
def with_dead_cookie(browser: Browser) -> Browser:
    browser.client.set_cookie("next-auth.session-token", "dead")
    return browser


def test_a_session_becomes_a_token_that_says_who_it_is(signed_in: Browser, use: Wiring) -> None:
    caller = caller_of(signed_in.exchange(), use)

    assert str(caller.id) == signed_in.session()["user"]["id"]
    assert (caller.role, caller.approved, caller.amr) == ("AUDIENCE", False, ("oidc",))
    assert abs(caller.auth_time - time.time()) < 60


def test_the_answer_has_no_body_for_the_gateway_to_leave_unread(
    signed_in: Browser, open_browser: Callable[[], Browser]
) -> None:
    for answer in (signed_in.exchange(), open_browser().exchange(uri=PUBLIC[0])):
        assert answer.status_code == 200
        assert (answer.data, answer.headers["Content-Length"]) == (b"", "0")
        assert "Content-Type" not in answer.headers


def test_a_token_lives_for_three_quarters_of_a_minute(signed_in: Browser, use: Wiring) -> None:
    token = signed_in.exchange().headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, use.keyring.public_keys("any"), algorithms=["ES256"]).claims

    assert claims["exp"] - claims["iat"] == LIFETIME_SECONDS == 45


def test_for_a_moment_the_same_session_gets_the_same_token(signed_in: Browser) -> None:
    first, second = signed_in.exchange(), signed_in.exchange()

    assert first.headers["Authorization"] == second.headers["Authorization"]


def test_whoever_asks_at_the_same_moment_gets_what_is_their_own(
    open_browser: Callable[[], Browser], use: Wiring
) -> None:
    browsers = [open_browser() for _ in range(8)]
    for browser in browsers[1:]:
        browser.sign_in(some_email())
    browsers[0].client.set_cookie("next-auth.session-token", "dead")

    def ask_again_and_again(browser: Browser) -> set[UUID | int]:
        answers = [browser.exchange() for _ in range(25)]
        return {
            caller_of(answer, use).id if answer.status_code == 200 else answer.status_code
            for answer in answers
        }

    with ThreadPoolExecutor(len(browsers)) as people:
        told = list(people.map(ask_again_and_again, browsers))

    whom = [UUID(browser.session()["user"]["id"]) for browser in browsers[1:]]
    assert told == [{401}, *({person} for person in whom)]


def test_a_change_of_role_or_standing_is_in_the_next_token(
    signed_in: Browser, use: Wiring, person_with: PersonFactory
) -> None:
    user_id = caller_of(signed_in.exchange(), use).id
    admin_id = person_with()
    seen = []

    apply_as_creator(
        use.begin, user_id=user_id, profile=OrganizerProfile(id=user_id, name="Laughs")
    )
    seen.append(caller_of(signed_in.exchange(), use))
    for decision in (ApprovalStatus.APPROVED, ApprovalStatus.REVOKED):
        decide_application(use.begin, user_id=user_id, decision=decision, admin_id=admin_id)
        seen.append(caller_of(signed_in.exchange(), use))

    assert [(caller.role, caller.approved) for caller in seen] == [
        ("ORGANIZER", False),
        ("ORGANIZER", True),
        ("ORGANIZER", False),
    ]


def test_an_admin_who_is_no_longer_listed_loses_the_role_at_the_next_exchange(
    browser: Browser, use: Wiring
) -> None:
    browser.sign_in(ADMIN_EMAIL)
    assert caller_of(browser.exchange(), use).role == "ADMIN"
    unlisted = replace(use, policy=replace(use.policy, admin_emails=frozenset()))
    same_browser = Browser(create_app(unlisted).test_client(), browser.provider)
    cookie = browser.client.get_cookie("next-auth.session-token")
    assert cookie is not None
    same_browser.client.set_cookie("next-auth.session-token", cookie.value)

    assert caller_of(same_browser.exchange(), use).role == "AUDIENCE"
    assert same_browser.session()["user"]["role"] == "AUDIENCE"


def test_who_becomes_an_admin_loses_the_sessions_from_before(browser: Browser, use: Wiring) -> None:
    email = some_email()
    browser.sign_in(email)
    listed = replace(use, policy=replace(use.policy, admin_emails=frozenset({email})))
    later = Browser(create_app(listed).test_client(), browser.provider)

    later.sign_in(email)

    assert later.session()["user"]["role"] == "ADMIN"
    assert browser.exchange().status_code == 401


def test_signing_out_works_at_once(signed_in: Browser) -> None:
    assert signed_in.exchange().status_code == 200
    cookie = signed_in.client.get_cookie("next-auth.session-token")
    assert cookie is not None
    signed_in.post_form("/api/auth/signout")
    signed_in.client.set_cookie("next-auth.session-token", cookie.value)

    assert signed_in.exchange().status_code == 401


@pytest.mark.parametrize("uri", PUBLIC)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_dead_session_may_read_what_is_public_as_nobody(
    with_dead_cookie: Browser, method: str, uri: str
) -> None:
    answer = with_dead_cookie.exchange(method, uri)

    assert answer.status_code == 200
    assert "Authorization" not in answer.headers


@pytest.mark.parametrize("uri", PRIVATE)
def test_a_dead_session_is_refused_elsewhere(with_dead_cookie: Browser, uri: str) -> None:
    answer = with_dead_cookie.exchange("GET", uri)

    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["code"] == "UNAUTHENTICATED"
    assert answer.json["instance"] == uri.partition("?")[0]


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("uri", PUBLIC)
def test_a_dead_session_changes_nothing(with_dead_cookie: Browser, method: str, uri: str) -> None:
    assert with_dead_cookie.exchange(method, uri, Origin=PUBLIC_URL).status_code == 401


@pytest.mark.parametrize("method", UNSAFE)
def test_a_change_from_our_own_pages_passes(signed_in: Browser, method: str) -> None:
    assert signed_in.exchange(method, Origin=PUBLIC_URL).status_code == 200


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "https://localhost:8080"},
        {"Origin": "http://localhost:8080.evil.example"},
        {"Origin": "http://localhost:8080/"},
        {"Referer": f"{PUBLIC_URL}/"},
    ],
)
def test_a_change_from_elsewhere_is_refused(
    signed_in: Browser, method: str, headers: dict[str, str]
) -> None:
    answer = signed_in.exchange(method, **headers)

    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["code"] == "CSRF"
    assert "Authorization" not in answer.headers


@pytest.mark.parametrize("method", SAFE)
def test_reading_needs_no_origin(signed_in: Browser, method: str) -> None:
    assert signed_in.exchange(method).status_code == 200
    assert signed_in.exchange(method, Origin="http://evil.example").status_code == 200


@pytest.mark.parametrize("method", ["", "get", "TRACE", "CONNECT"])
def test_an_unknown_method_counts_as_a_change(signed_in: Browser, method: str) -> None:
    assert signed_in.exchange(method).status_code == 403


def test_an_allowed_front_end_elsewhere_may_change_things(signed_in: Browser, use: Wiring) -> None:
    settings = replace(use.settings, allowed_origins=frozenset({"http://localhost:3000"}))
    client = create_app(replace(use, settings=settings)).test_client()
    cookie = signed_in.client.get_cookie("next-auth.session-token")
    assert cookie is not None
    client.set_cookie("next-auth.session-token", cookie.value)
    allowed = Browser(client, signed_in.provider)

    assert allowed.exchange("POST", Origin="http://localhost:3000").status_code == 200
    assert allowed.exchange("POST", Origin=PUBLIC_URL).status_code == 200
    assert allowed.exchange("POST", Origin="http://localhost:3001").status_code == 403


@pytest.mark.parametrize("token", ["Bearer cc_unknown", "Bearer a,Bearer b", "Basic eDp5", "x"])
def test_an_authorization_header_wins_over_the_cookie_even_if_it_is_worth_nothing(
    signed_in: Browser, token: str
) -> None:
    headers = {"X_Client_Authorization": token}

    assert signed_in.exchange("GET", "/api/v1/bookings", **headers).status_code == 401
    public = signed_in.exchange("GET", "/api/v1/shows/0190-a", **headers)
    assert public.status_code == 200
    assert "Authorization" not in public.headers


def test_use_prolongs_a_session_at_most_once_a_minute_and_never_beyond_its_end(
    signed_in: Browser, use: Wiring
) -> None:
    user_id = UUID(signed_in.session()["user"]["id"])

    def age(interval: str) -> None:
        with use.engine.begin() as connection:
            connection.execute(
                text(
                    'UPDATE identity."session" SET last_seen_at = now() - :age ::interval, '
                    "expires_at = now() + interval '1 hour', ends_at = now() + interval '2 days' "
                    "WHERE user_id = :user_id"
                ),
                {"age": interval, "user_id": user_id},
            )

    def hours_left() -> float:
        with use.engine.connect() as connection:
            return float(
                connection.execute(
                    text(
                        "SELECT extract(epoch FROM expires_at - now()) / 3600 "
                        'FROM identity."session" WHERE user_id = :user_id'
                    ),
                    {"user_id": user_id},
                ).scalar_one()
            )

    age("30 seconds")
    signed_in.exchange()
    assert hours_left() == pytest.approx(1, abs=0.1)

    age("2 minutes")
    signed_in.exchange()
    assert hours_left() == pytest.approx(48, abs=0.1)

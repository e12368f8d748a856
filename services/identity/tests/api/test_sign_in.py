"""Signing in as the front end does it, and every way in which it must not work."""

import time
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from services.identity.tests.conftest import (
    ADMIN_EMAIL,
    PUBLIC_URL,
    Browser,
    OpenBrowser,
    Provider,
    some_email,
)
from sqlalchemy import text

from identity_service.app import create_app
from identity_service.clients.openid_provider import OpenIdProvider
from identity_service.wiring import Wiring
from service_kit.tokens import JWKS_RETRY_SECONDS

FAILED = "/auth/signin?error=Callback"
DENIED = "/auth/signin?error=AccessDenied"


def test_a_person_signs_in_and_is_signed_in(browser: Browser) -> None:
    email = some_email()

    answer = browser.sign_in(email, callbackUrl=f"{PUBLIC_URL}/shows?city=Hyderabad")

    assert answer.status_code == 302
    assert answer.location == f"{PUBLIC_URL}/shows?city=Hyderabad"
    session = browser.session()
    assert session["user"]["email"] == email
    assert session["user"]["role"] == "AUDIENCE"
    assert session["user"]["onboardingCompleted"] is False
    assert session["expires"].endswith("Z")


def test_the_session_is_in_a_cookie_that_no_script_and_no_other_site_can_use(
    browser: Browser,
) -> None:
    answer = browser.sign_in(some_email())

    [cookie] = [c for c in answer.headers.getlist("Set-Cookie") if "session-token" in c]
    assert cookie.startswith("next-auth.session-token=")
    assert "; HttpOnly" in cookie
    assert "; SameSite=Lax" in cookie
    assert "; Path=/" in cookie
    assert "; Secure" not in cookie  # plain http, in development on loopback


def test_over_https_every_cookie_is_bound_to_it(use: Wiring, browser: Browser) -> None:
    settings = replace(use.settings, public_url="https://comedy.example")
    secure = Browser(create_app(replace(use, settings=settings)).test_client(), browser.provider)

    csrf = secure.get("/api/auth/csrf")
    begun = secure.client.post(
        "/api/auth/signin/google",
        data={"csrfToken": csrf.json["csrfToken"]},
        headers={
            "Cookie": csrf.headers["Set-Cookie"].partition(";")[0],
            "Origin": settings.public_url,
        },
    )

    assert csrf.headers["Set-Cookie"].startswith("__Host-next-auth.csrf-token=")
    assert begun.headers["Set-Cookie"].startswith("__Host-next-auth.state=")
    assert all("; Secure" in answer.headers["Set-Cookie"] for answer in (csrf, begun))


def test_the_same_person_comes_back_to_the_same_account_with_a_new_session(
    browser: Browser, open_browser: OpenBrowser
) -> None:
    email = some_email()
    browser.sign_in(email)
    first = browser.session()["user"]["id"]
    old_token = browser.client.get_cookie("next-auth.session-token")
    assert old_token is not None

    browser.sign_in(email)

    new_token = browser.client.get_cookie("next-auth.session-token")
    assert new_token is not None
    assert new_token.value != old_token.value
    assert browser.session()["user"]["id"] == first
    thief = open_browser()
    thief.client.set_cookie("next-auth.session-token", old_token.value)
    assert thief.session() == {}


def test_of_a_session_only_the_hash_of_its_token_is_stored(browser: Browser, use: Wiring) -> None:
    browser.sign_in(some_email())
    cookie = browser.client.get_cookie("next-auth.session-token")
    assert cookie is not None

    with use.engine.connect() as connection:
        rows = connection.execute(text('SELECT session::text FROM identity."session"')).scalars()
        assert all(cookie.value not in row for row in rows)


def test_the_browser_is_sent_to_the_provider_with_pkce_state_and_nonce(browser: Browser) -> None:
    query = parse_qs(urlsplit(browser.begin()).query)

    assert query["response_type"] == ["code"]
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["code_challenge"][0]) == 43
    assert len(query["state"][0]) >= 22
    assert len(query["nonce"][0]) >= 22
    assert query["redirect_uri"] == [f"{PUBLIC_URL}/api/auth/callback/google"]
    assert "code_verifier" not in query


def test_a_person_with_a_listed_email_becomes_an_admin(browser: Browser) -> None:
    browser.sign_in(ADMIN_EMAIL)

    assert browser.session()["user"]["role"] == "ADMIN"


def test_a_callback_with_another_state_is_refused(browser: Browser) -> None:
    callback = browser.callback_of(some_email())
    state = parse_qs(urlsplit(callback).query)["state"][0]

    answer = browser.get(callback.replace(state, "x" * len(state)))

    assert answer.location == FAILED
    assert browser.session() == {}


def test_a_callback_in_another_browser_is_refused_and_does_not_spoil_the_right_one(
    browser: Browser, open_browser: OpenBrowser
) -> None:
    victim = open_browser()
    victim.begin()
    callback = browser.callback_of(some_email())

    assert victim.get(callback).location == FAILED
    assert victim.session() == {}
    assert open_browser().get(callback).location == FAILED
    assert browser.get(callback).location == PUBLIC_URL


def test_a_callback_is_good_once(browser: Browser) -> None:
    callback = browser.callback_of(some_email())
    assert browser.get(callback).location == PUBLIC_URL

    assert browser.get(callback).location == FAILED


def test_a_callback_that_comes_too_late_is_refused(browser: Browser, use: Wiring) -> None:
    callback = browser.callback_of(some_email())
    with use.engine.begin() as connection:
        connection.execute(text("UPDATE identity.sign_in_attempt SET expires_at = now()"))

    assert browser.get(callback).location == FAILED


def test_two_sign_ins_in_two_tabs_of_one_browser_both_succeed(browser: Browser) -> None:
    first, second = browser.callback_of(some_email()), browser.callback_of(some_email())

    assert browser.get(first).location == PUBLIC_URL
    assert browser.get(second).location == PUBLIC_URL


@pytest.mark.parametrize(
    "misbehaviour",
    [
        "wrong_nonce",
        "wrong_issuer",
        "wrong_audience",
        "expired",
        "foreign_key",
        "unsigned",
        "token_endpoint_fails",
    ],
)
def test_an_identity_that_cannot_be_relied_on_signs_nobody_in(
    browser: Browser, provider: Provider, misbehaviour: str
) -> None:
    provider.misbehave(misbehaviour)

    answer = browser.sign_in(some_email())

    assert answer.location == FAILED
    assert browser.session() == {}


def test_an_unverified_email_is_refused(browser: Browser, provider: Provider) -> None:
    provider.misbehave("email_unverified")

    answer = browser.sign_in(some_email())

    assert answer.location == DENIED
    assert browser.session() == {}


def test_a_person_who_declines_at_the_provider_is_back_on_the_sign_in_page(
    browser: Browser,
) -> None:
    callback = browser.provider.decide(browser.begin(), {"deny": "1"})

    assert browser.get(callback).location == DENIED


def test_a_code_that_the_provider_does_not_know_is_refused(browser: Browser) -> None:
    state = parse_qs(urlsplit(browser.begin()).query)["state"][0]

    answer = browser.get(f"/api/auth/callback/google?code=made-up&state={state}")

    assert answer.location == FAILED


def test_the_providers_new_key_is_fetched_when_it_first_appears(
    browser: Browser, provider: Provider
) -> None:
    browser.sign_in(some_email())

    provider.rotate_key()
    time.sleep(JWKS_RETRY_SECONDS)

    assert browser.sign_in(some_email()).location == PUBLIC_URL


def test_with_the_provider_down_the_front_end_is_told_so(use: Wiring, browser: Browser) -> None:
    nobody = OpenIdProvider(
        "http://127.0.0.1:9", client_id="x", client_secret="x", redirect_uri=PUBLIC_URL
    )
    lonely = Browser(create_app(replace(use, provider=nobody)).test_client(), browser.provider)

    assert lonely.begin() == f"{PUBLIC_URL}/auth/signin?error=OAuthSignin"
    assert lonely.begin() == f"{PUBLIC_URL}/auth/signin?error=OAuthSignin"  # and not asked again


@pytest.mark.parametrize(
    "callback_url",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "http://localhost:8080@evil.example",
        "http://localhost:8080.evil.example",
        "http://user@localhost:8080/",
        "http://localhost:8081/",
        "https://localhost:8080/",
        "javascript:alert(1)",
        "/shows\r\nSet-Cookie: a=b",
        "/shows\0",
        "\t//evil.example",
        "http://localhost:8080//evil.example",
    ],
)
def test_a_foreign_callback_url_leads_to_the_start_page(
    browser: Browser, callback_url: str
) -> None:
    answer = browser.sign_in(some_email(), callbackUrl=callback_url)

    assert answer.location == PUBLIC_URL


def test_signing_in_needs_the_csrf_token_of_this_browser(
    browser: Browser, open_browser: OpenBrowser
) -> None:
    other = open_browser().csrf_token()
    browser.csrf_token()

    for form in ({}, {"csrfToken": ""}, {"csrfToken": other}):
        answer = browser.client.post(
            "/api/auth/signin/google", data=form, headers={"Origin": PUBLIC_URL}
        )

        assert answer.status_code == 403
        assert answer.json is not None
        assert answer.json["code"] == "CSRF"
        assert answer.json["url"] == f"{PUBLIC_URL}/auth/signin?csrf=true"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:80800", None])
@pytest.mark.parametrize("path", ["/api/auth/signin/google", "/api/auth/signout"])
def test_a_form_of_another_sites_page_is_refused(
    browser: Browser, path: str, origin: str | None
) -> None:
    answer = browser.client.post(
        path,
        data={"csrfToken": browser.csrf_token()},
        headers={} if origin is None else {"Origin": origin},
    )

    assert answer.status_code == 403


def test_a_csrf_cookie_that_we_did_not_make_is_replaced(browser: Browser) -> None:
    browser.client.set_cookie("next-auth.csrf-token", "chosen|chosen")

    token = browser.csrf_token()

    assert token != "chosen"
    assert browser.csrf_token() == token


def test_signing_out_ends_the_session_here_and_on_the_server(
    browser: Browser, open_browser: OpenBrowser
) -> None:
    browser.sign_in(some_email())
    cookie = browser.client.get_cookie("next-auth.session-token")
    assert cookie is not None

    answer = browser.post_form("/api/auth/signout", callbackUrl="/shows")

    assert answer.json == {"url": f"{PUBLIC_URL}/shows"}
    assert browser.session() == {}
    thief = open_browser()
    thief.client.set_cookie("next-auth.session-token", cookie.value)
    assert thief.session() == {}


def test_signing_out_needs_the_csrf_token(browser: Browser) -> None:
    browser.sign_in(some_email())

    ours = {"Origin": PUBLIC_URL}
    assert browser.client.post("/api/auth/signout", data={}, headers=ours).status_code == 403
    assert browser.session() != {}


def test_looking_at_the_sign_out_page_signs_nobody_out(browser: Browser) -> None:
    browser.sign_in(some_email())

    assert browser.get("/api/auth/signout").location == "/auth/signout"
    assert browser.session() != {}


def test_a_dead_session_is_forgotten_by_the_browser(browser: Browser) -> None:
    browser.client.set_cookie("next-auth.session-token", "dead")

    assert browser.session() == {}

    assert browser.client.get_cookie("next-auth.session-token") is None


def test_an_expired_session_is_nobodys(browser: Browser, use: Wiring) -> None:
    browser.sign_in(some_email())
    user_id = browser.session()["user"]["id"]

    with use.engine.begin() as connection:
        connection.execute(
            text('UPDATE identity."session" SET expires_at = now() WHERE user_id = :id'),
            {"id": user_id},
        )

    assert browser.session() == {}


def test_the_front_end_finds_the_provider_under_the_name_it_knows(client: FlaskClient) -> None:
    answer = client.get("/api/auth/providers")

    assert answer.json == {
        "google": {
            "id": "google",
            "name": "Google",
            "type": "oauth",
            "signinUrl": f"{PUBLIC_URL}/api/auth/signin/google",
            "callbackUrl": f"{PUBLIC_URL}/api/auth/callback/google",
        }
    }


def test_the_sign_in_address_leads_to_the_front_ends_page(client: FlaskClient) -> None:
    answer = client.get("/api/auth/signin?callbackUrl=/shows")
    foreign = client.get("/api/auth/signin?callbackUrl=https://evil.example")

    assert answer.location == "/auth/signin?callbackUrl=http%3A%2F%2Flocalhost%3A8080%2Fshows"
    assert foreign.location == "/auth/signin?callbackUrl=http%3A%2F%2Flocalhost%3A8080"


@pytest.mark.parametrize("callback_url", ["%00", "/shows%00", "%ED%A0%80", "%FF", "/%0d%0a"])
def test_a_callback_url_that_is_no_text_is_a_foreign_one(
    client: FlaskClient, callback_url: str
) -> None:
    answer = client.get(f"/api/auth/signin?callbackUrl={callback_url}&error=%00")

    assert answer.status_code == 302
    assert answer.location.startswith(
        "/auth/signin?callbackUrl=http%3A%2F%2Flocalhost%3A8080&error="
    )


@pytest.mark.parametrize(
    "options", [{"data": {"level": "error"}}, {"json": {"level": "error"}}, {"data": b""}]
)
def test_errors_of_the_front_ends_client_are_taken_note_of(
    client: FlaskClient, options: dict[str, object]
) -> None:
    answer = client.post("/api/auth/_log", **options)

    assert (answer.status_code, answer.json) == (200, {})

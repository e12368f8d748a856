from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.gateway.conftest import Gateway

COOKIE = {"Cookie": "theme=dark; next-auth.session-token=live; other=1"}
SECURE_COOKIE = {"Cookie": "__Secure-next-auth.session-token=live"}
SECRETS = ["Authorization", "Cookie", "X-Client-Authorization"]
TOKEN = {"Authorization": "Bearer cc_live"}

EXCHANGED = [
    ("GET", "/api/v1/shows?mode=manage"),
    ("GET", "/api/v1/shows?mode=public&mode=manage"),
    ("GET", "/api/v1/shows?a=b&mode=%6danage"),
    ("GET", "/api/v1/shows/0190-a"),
    ("POST", "/api/v1/shows"),
    ("POST", "/api/v1/shows?mode=public"),
    ("POST", "/api/v1/comedians"),
    ("DELETE", "/api/v1/comedians/0190-a"),
    ("POST", "/api/v1/upload"),
    ("GET", "/api/v1/bookings"),
    ("POST", "/api/v1/checkins"),
    ("GET", "/api/v1/organizer/sales"),
    ("GET", "/api/v1/organizer/profile"),
    ("GET", "/api/v1/admin/comedians"),
    ("GET", "/api/v1/admin/account-deletions"),
    ("GET", "/api/v1/admin/config"),
    ("GET", "/api/v1/config/publicity"),
    ("PUT", "/api/v1/config/public"),
    ("GET", "/api/auth/me"),
    ("GET", "/api/auth/tokens"),
    ("DELETE", "/api/auth/tokens/0190-a"),
    ("DELETE", "/api/auth/sessions"),
    ("DELETE", "/api/auth/sessions/0190-a"),
]
DROPPED = [
    ("GET", "/api/v1/shows"),
    ("HEAD", "/api/v1/shows"),
    ("GET", "/api/v1/shows?mode=discovery&q=x"),
    ("GET", "/api/v1/shows?mode=public"),
    ("GET", "/api/v1/comedians"),
    ("GET", "/api/v1/comedians/0190-a"),
    ("GET", "/api/v1/media/shows/0190-a.webp"),
    ("GET", "/api/v1/config/public"),
    ("GET", "/api/v1/checkins/keys"),
    ("GET", "/api/v1/account-deletions/a-token"),
    ("POST", "/api/v1/webhooks/razorpay"),
    ("GET", "/api/v1/webhooks/razorpay"),
]
OWN = [
    ("GET", "/api/auth/session"),
    ("GET", "/api/auth/csrf"),
    ("GET", "/api/auth/callback/google?code=c&state=s"),
    ("POST", "/api/auth/signin/google"),
    ("POST", "/api/auth/signout"),
    ("GET", "/api/auth/providers"),
    ("POST", "/api/auth/_log"),
    ("GET", "/api/auth/meeting"),
]


def owner(path: str) -> str:
    return next(
        service
        for start, service in {
            "/api/auth": "identity",
            "/api/v1/account-deletions": "identity",
            "/api/v1/admin/account-deletions": "identity",
            "/api/v1/organizer/profile": "identity",
            "/api/v1/shows": "catalog",
            "/api/v1/comedians": "catalog",
            "/api/v1/upload": "catalog",
            "/api/v1/media": "catalog",
            "/api/v1/admin/comedians": "catalog",
            "/api/v1/bookings": "booking",
            "/api/v1/checkins": "booking",
            "/api/v1/webhooks": "booking",
            "/api/v1/organizer": "booking",
            "/api/v1/config": "config",
            "/api/v1/admin/config": "config",
        }.items()
        if path.startswith(start)
    )


@pytest.mark.parametrize(("method", "target"), EXCHANGED)
@pytest.mark.parametrize("credential", [COOKIE, SECURE_COOKIE, TOKEN])
def test_a_credential_is_exchanged_for_a_token_and_stays_outside(
    gateway: Gateway, credential: dict[str, str], method: str, target: str
) -> None:
    assert gateway.send(method, target, credential, b"{}").status == 200

    exchange, *others = gateway.received_by("identity")
    assert (exchange.method, exchange.target) == ("GET", "/auth/exchange")
    [received] = others or gateway.received_by(owner(target))
    assert received.values("Authorization") == [f"Bearer jwt for {next(iter(credential.values()))}"]
    assert received.values("Cookie") == []
    assert received.values("X-Client-Authorization") == []
    assert (received.method, received.target, received.body) == (method, target, b"{}")


@pytest.mark.parametrize(("method", "target"), DROPPED)
@pytest.mark.parametrize("credential", [COOKIE, TOKEN, COOKIE | TOKEN])
def test_what_is_the_same_for_everybody_is_answered_without_the_credential(
    gateway: Gateway, credential: dict[str, str], method: str, target: str
) -> None:
    assert gateway.send(method, target, credential).status == 200

    [received] = gateway.received_by(owner(target))
    assert received.target == target
    assert not any(received.values(name) for name in SECRETS)
    assert gateway.received_by("identity") == []


@pytest.mark.parametrize(("method", "target"), OWN)
def test_signing_in_and_out_is_between_the_browser_and_identity(
    gateway: Gateway, method: str, target: str
) -> None:
    answer = gateway.send(method, target, COOKIE | TOKEN)

    [received] = gateway.received_by("identity")
    assert (received.method, received.target) == (method, target)
    assert received.values("Cookie") == [COOKIE["Cookie"]]
    assert received.values("Authorization") + received.values("x-client-authorization") == []
    assert answer.headers["Set-Cookie"] == "a=b"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("method", "target"), EXCHANGED)
@pytest.mark.parametrize("headers", [{}, {"Cookie": "theme=dark"}, {"Authorization": ""}])
def test_without_a_credential_the_service_is_asked_directly(
    gateway: Gateway, headers: dict[str, str], method: str, target: str
) -> None:
    assert gateway.send(method, target, headers).status == 200

    [received] = gateway.received_by(owner(target))
    assert received.target == target
    assert not any(received.values(name) for name in SECRETS)


def test_identity_learns_what_the_request_is_and_who_asks(gateway: Gateway) -> None:
    headers = COOKIE | TOKEN | {"Origin": "http://evil.example", "Content-Type": "text/plain"}
    headers |= {"X-Forwarded-Uri": "/harmless", "X-Forwarded-Method": "GET"}

    gateway.send("POST", "/api/v1/bookings?x=1", headers | {"X-Forwarded-For": "9.9.9.9"}, b"{}")

    [exchange] = gateway.received_by("identity")
    assert exchange.method == "GET"
    assert exchange.body == b""
    assert exchange.values("X-Forwarded-Method") == ["POST"]
    assert exchange.values("X-Forwarded-Uri") == ["/api/v1/bookings?x=1"]
    assert exchange.values("X-Forwarded-For") == ["127.0.0.1"]
    assert exchange.values("X-Client-Authorization") == [TOKEN["Authorization"]]
    assert exchange.values("Authorization") == []
    assert exchange.values("Cookie") == [COOKIE["Cookie"]]
    assert exchange.values("Origin") == ["http://evil.example"]
    [received] = gateway.received_by("booking")
    assert received.values("X-Request-ID") == exchange.values("X-Request-ID")
    assert received.values("X-Forwarded-Method") == []
    assert received.values("X-Forwarded-Uri") == []


def test_a_credential_identity_lets_pass_as_nobody_reaches_the_service_as_nobody(
    gateway: Gateway,
) -> None:
    for credential in (
        {"Authorization": "Bearer anonymous"},
        {"Cookie": "next-auth.session-token=anonymous"},
    ):
        assert gateway.send("GET", "/api/v1/shows/0190-a", credential).status == 200

        [received] = gateway.received_by("catalog")
        assert received.values("Authorization") + received.values("cookie") == []


@pytest.mark.parametrize(("credential", "status"), [("dead", 401), ("forbidden", 403)])
def test_a_credential_identity_refuses_goes_no_further(
    gateway: Gateway, credential: str, status: int
) -> None:
    answer = gateway.send("POST", "/api/v1/bookings", {"Authorization": credential}, b"{}")

    assert (answer.status, answer.json["code"]) == (status, "FROM_IDENTITY")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert gateway.received_by("booking") == []


def test_two_authorization_headers_are_one_credential_that_means_nothing(gateway: Gateway) -> None:
    answer = gateway.send(
        "GET", "/api/v1/bookings", [("Authorization", "Bearer a"), ("Authorization", "Bearer b")]
    )

    assert answer.status == 401
    [exchange] = gateway.received_by("identity")
    assert exchange.values("X-Client-Authorization") == ["Bearer a,Bearer b"]


def test_a_credential_is_passed_on_letter_by_letter(gateway: Gateway) -> None:
    gateway.send("GET", "/api/v1/bookings", {"Authorization": "Bearer {env.PATH}live{header.Host}"})

    [exchange] = gateway.received_by("identity")
    assert exchange.values("X-Client-Authorization") == ["Bearer {env.PATH}live{header.Host}"]
    [received] = gateway.received_by("booking")
    assert received.values("Authorization") == ["Bearer jwt for Bearer {env.PATH}live{header.Host}"]


def test_a_session_in_a_second_cookie_header_is_seen(gateway: Gateway) -> None:
    cookies = [("Cookie", "theme=dark"), ("Cookie", "next-auth.session-token=live")]

    gateway.send("GET", "/api/v1/bookings", cookies)

    assert len(gateway.received_by("identity")) == 1
    [received] = gateway.received_by("booking")
    assert received.values("Cookie") == []

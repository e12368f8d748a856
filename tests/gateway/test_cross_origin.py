"""A front end on an origin of its own: which pages a browser lets read our answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.gateway.conftest import Answer, Gateway, StartGateway

OURS = "https://www.comedy.example"
SECOND = "http://localhost:3000"
FOREIGN = [
    "https://evil.example",
    "https://www.comedy.example.evil.example",
    "https://www.comedy.example:8443",
    "http://www.comedy.example",
    "https://WWW.comedy.example",
    f"{OURS} {SECOND}",
    "null",
    "nobody",
    "*",
]
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x"}


@pytest.fixture(scope="module")
def _listing(start_gateway: StartGateway) -> Gateway:
    return start_gateway(ALLOWED_ORIGINS=f"{OURS} {SECOND}")


@pytest.fixture
def gateway(_listing: Gateway) -> Gateway:
    for service in _listing.services.values():
        service.take_received()
    return _listing


def permissions(answer: Answer) -> dict[str, str]:
    prefix = "access-control-"
    return {
        name.lower().removeprefix(prefix): value
        for name, value in answer.headers.items()
        if name.lower().startswith(prefix)
    }


@pytest.mark.parametrize("origin", [OURS, SECOND])
def test_a_listed_origin_may_read_answers_and_send_its_cookies(
    gateway: Gateway, origin: str
) -> None:
    answer = gateway.send("GET", "/api/v1/shows", {"Origin": origin})

    assert permissions(answer) == {
        "allow-origin": origin,
        "allow-credentials": "true",
        "expose-headers": "ETag, Location, Retry-After, X-Request-ID",
    }


@pytest.mark.parametrize("target", ["/api/v1/nothing", "/api/v1/shows?answer=page-500"])
def test_a_listed_origin_may_read_what_went_wrong(gateway: Gateway, target: str) -> None:
    answer = gateway.send("GET", target, {"Origin": OURS})

    assert answer.status >= 400
    assert permissions(answer)["allow-origin"] == OURS


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_no_other_origin_may(gateway: Gateway, method: str, origin: str) -> None:
    asked = PREFLIGHT if method == "OPTIONS" else {}

    answer = gateway.send(method, "/api/v1/shows", {"Origin": origin, **asked})

    assert permissions(answer) == {}


def test_without_an_origin_nothing_is_said(gateway: Gateway) -> None:
    assert permissions(gateway.send("GET", "/api/v1/shows")) == {}


@pytest.mark.parametrize("listed", [{}, {"ALLOWED_ORIGINS": ""}])
def test_by_default_no_origin_is_listed(
    listed: dict[str, str], start_gateway: StartGateway
) -> None:
    gateway = start_gateway(**listed)

    for origin in (OURS, "nobody", " ", ""):
        assert permissions(gateway.send("GET", "/api/v1/shows", {"Origin": origin})) == {}


@pytest.mark.parametrize("origin", [None, OURS, "https://evil.example"])
def test_caches_keep_answers_for_origins_apart(gateway: Gateway, origin: str | None) -> None:
    answer = gateway.send("GET", "/api/v1/shows", {"Origin": origin} if origin else {})

    vary = ",".join(answer.headers.get_all("Vary", []))
    assert "Origin" in [each.strip() for each in vary.split(",")]


@pytest.mark.parametrize("target", ["/api/v1/bookings", "/api/auth/session", "/api/v1/shows"])
def test_a_preflight_is_answered_before_anybody_is_asked(gateway: Gateway, target: str) -> None:
    cookie = {"Cookie": "next-auth.session-token=live"}

    answer = gateway.send("OPTIONS", target, {"Origin": OURS, **PREFLIGHT, **cookie})

    assert answer.status == 204
    assert permissions(answer) == {
        "allow-origin": OURS,
        "allow-credentials": "true",
        "allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
        "allow-headers": "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match",
        "max-age": "600",
        "expose-headers": "ETag, Location, Retry-After, X-Request-ID",
    }
    assert not any(gateway.received_by(service) for service in gateway.services)

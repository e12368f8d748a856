"""A front end behind the gateway: it gets all that is neither API nor documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.gateway.conftest import Gateway, Service, StartGateway, StartService

NAVIGATION = {"Accept": "text/html,*/*;q=0.8"}


@pytest.fixture(scope="module")
def frontend(start_service: StartService) -> Service:
    return start_service("frontend")


@pytest.fixture(scope="module")
def _gateway_to_frontend(start_gateway: StartGateway, frontend: Service) -> Gateway:
    return start_gateway(FRONTEND=frontend.address, GATEWAY_TRY_DURATION="100ms")


@pytest.fixture
def gateway(_gateway_to_frontend: Gateway, frontend: Service) -> Gateway:
    for service in (*_gateway_to_frontend.services.values(), frontend):
        service.take_received()
    return _gateway_to_frontend


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/auth/signin?callbackUrl=%2F",
        "/auth/signout",
        "/shows/0190-a",
        "/_next/static/chunks/%5Bid%5D.js?v=1",
        "/.well-known/security.txt",
        "/favicon.ico",
        "/apiary",
        "/docsx",
        "/a//b/../c",
        "/internal/people",
        "/readyz",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_the_front_end_gets_everything_else_as_it_was_sent(
    gateway: Gateway, frontend: Service, method: str, target: str
) -> None:
    body = b"{}" if method == "POST" else None

    answer = gateway.send(method, target, {"Cookie": "next-auth.session-token=live"}, body)

    assert (answer.status, answer.service) == (200, "frontend")
    [received] = frontend.take_received()
    assert (received.method, received.target, received.body) == (method, target, body or b"")
    assert received.values("Cookie") == ["next-auth.session-token=live"]
    assert not any(gateway.received_by(service) for service in gateway.services)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/api", 404),
        ("/api/v1/nothing", 404),
        ("//api/v1/shows", 404),
        ("/API/v1/shows", 404),
        ("/api/%2e%2e/x", 404),
        ("/api/../x", 404),
        ("/api/v1/shows", 200),
        ("/api/auth/session", 200),
        ("/docs", 200),
        ("/docs/identity.json", 200),
        ("/docs/assets/site.css", 200),
        ("/docs/nothing", 404),
        ("/status/config", 200),
        ("/healthz", 200),
    ],
)
def test_the_api_and_its_documentation_stay_ours(
    gateway: Gateway, frontend: Service, target: str, status: int
) -> None:
    answer = gateway.send("GET", target)

    assert answer.status == status
    assert frontend.take_received() == []


def test_the_front_end_says_itself_what_its_pages_may_do(gateway: Gateway) -> None:
    headers = gateway.send("GET", "/").headers

    assert headers.get_all("Content-Security-Policy") == ["default-src *"]
    assert "X-Frame-Options" not in headers
    assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert len(headers.get_all("X-Request-ID") or []) == 1
    assert "Server" not in headers


def test_nobody_can_tell_the_front_end_who_they_are(gateway: Gateway, frontend: Service) -> None:
    gateway.send(
        "GET", "/", {"X-User-Id": "admin", "X_User_Id": "admin", "X-Forwarded-For": "9.9.9.9"}
    )

    [received] = frontend.take_received()
    assert not [name for name, value in received.headers if "admin" in value]
    assert received.values("X-Forwarded-For") == ["127.0.0.1"]


def test_methods_the_api_does_not_use_do_not_reach_it(gateway: Gateway, frontend: Service) -> None:
    assert gateway.send("TRACE", "/").status == 405
    assert frontend.take_received() == []


def test_a_form_for_the_front_end_has_the_same_limit(gateway: Gateway) -> None:
    assert gateway.send("POST", "/contact", {}, bytes(1_000_000)).status == 200
    assert gateway.send("POST", "/contact", {}, bytes(1_000_001)).status == 413


def test_a_front_end_that_is_down_is_a_page_to_people_and_a_problem_to_programs(
    start_gateway: StartGateway,
) -> None:
    gateway = start_gateway(FRONTEND="127.0.0.1:1", GATEWAY_TRY_DURATION="100ms")

    page = gateway.send("GET", "/", NAVIGATION)
    problem = gateway.send("GET", "/")

    assert (page.status, page.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert b"Please try again" in page.body
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert (problem.status, problem.json["code"]) == (503, "UNAVAILABLE")
    assert gateway.send("GET", "/api/v1/shows").status == 200
    assert gateway.access_log(page.headers["X-Request-ID"])["service"] == "frontend"


def test_an_empty_setting_is_no_front_end(start_gateway: StartGateway) -> None:
    gateway = start_gateway(FRONTEND="")

    assert b"Comedy Connect" in gateway.send("GET", "/").body

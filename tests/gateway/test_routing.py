from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.gateway.conftest import Gateway

ROUTES = {
    "identity": [
        "/api/auth/session",
        "/api/auth/callback/google",
        "/api/auth/me",
        "/api/v1/onboarding",
        "/api/v1/user/onboarding-status",
        "/api/v1/profile/update",
        "/api/v1/comedian/profile",
        "/api/v1/organizer/profile",
        "/api/v1/account-deletions/a-token",
        "/api/v1/admin/check-session",
        "/api/v1/admin/set-password",
        "/api/v1/admin/verify-password",
        "/api/v1/admin/auth/logout",
        "/api/v1/admin/organizers",
        "/api/v1/admin/comedian-users",
        "/api/v1/admin/audit",
        "/api/v1/admin/account-deletions",
    ],
    "catalog": [
        "/api/v1/shows",
        "/api/v1/shows/0190-a/publish",
        "/api/v1/comedians",
        "/api/v1/comedians/0190-a",
        "/api/v1/upload",
        "/api/v1/media/shows/0190-a.webp",
        "/api/v1/admin/shows",
        "/api/v1/admin/comedians",
    ],
    "booking": [
        "/api/v1/bookings",
        "/api/v1/bookings/0190-a/tickets/1.svg",
        "/api/v1/checkins",
        "/api/v1/webhooks/razorpay",
        "/api/v1/organizer/sales",
        "/api/v1/organizer/profiles",
        "/api/v1/organizer/shows/0190-a/attendees",
        "/api/v1/admin/stats",
        "/api/v1/admin/collections",
        "/api/v1/admin/bookings",
    ],
    "config": [
        "/api/v1/config/public",
        "/api/v1/admin/fees",
        "/api/v1/admin/config",
        "/api/v1/admin/config/booking-limits/history",
    ],
}


@pytest.mark.parametrize(
    ("service", "path"), [(service, path) for service, paths in ROUTES.items() for path in paths]
)
def test_a_path_goes_to_the_service_that_owns_it(gateway: Gateway, service: str, path: str) -> None:
    answer = gateway.send("GET", f"{path}?a=%2F&b=%00")

    assert (answer.status, answer.service) == (200, service)
    assert [request.target for request in gateway.received_by(service)] == [f"{path}?a=%2F&b=%00"]


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/v1",
        "/api/authx",
        "/api/v1/showsx",
        "/api/v1/show",
        "/api/v1/configuration",
        "/api/v1/comedianx",
        "/api/v1/admin",
        "/api/v1/admin/feesx",
        "/api/v1/admin/authx",
        "/api/v2/shows",
        "/API/v1/shows",
        "/api/v1/Shows",
        "/docsx",
        "/docs/nothing.json",
        "/status",
        "/status/nobody",
        "/status/identity/x",
        "/favicon.ico",
    ],
)
def test_an_unknown_path_is_a_problem_of_status_404(gateway: Gateway, path: str) -> None:
    answer = gateway.send("GET", f'{path}?quote="')

    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing at this address.",
        "instance": path,
        "error": "There is nothing at this address.",
        "code": "NOT_FOUND",
        "requestId": answer.headers["X-Request-ID"],
    }


PRIVATE = ["internal", "internal/offers", "metrics", "readyz", "openapi.json", "oauth/token"]
PRIVATE += ["auth/exchange", ".well-known/jwks.json", "healthz/x"]
DISGUISES = [
    "/{}",
    "//{}",
    "///{}",
    "/./{}",
    "/../{}",
    "/%2e%2e/{}",
    "/%2E%2E/{}",
    "/%2f{}",
    "/x/../{}",
    "/api/v1/shows/../../../{}",
    "/api/v1/shows/..%2f..%2f..%2f{}",
    "/api/v1/shows/%2e%2e/%2e%2e/%2e%2e/{}",
    "/api/v1/shows/..;/..;/..;/{}",
    "/api/v1/shows/..\\..\\..\\{}",
    "/api/v1/shows%2f..%2f..%2f..%2f{}",
    "/api/v1/{}",
    "/catalog/{}",
    "http://catalog/{}",
    "http://127.0.0.1/{}",
]


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("private", PRIVATE)
def test_private_paths_cannot_be_reached_in_any_spelling(
    gateway: Gateway, private: str, disguise: str
) -> None:
    for spelling in (
        private,
        private.title(),
        private.upper(),
        f"%{ord(private[0]):x}{private[1:]}",
    ):
        answer = gateway.send("GET", disguise.format(spelling), {"Authorization": "Bearer live"})

        assert (answer.status, answer.json["code"]) == (404, "NOT_FOUND")
    assert not any(gateway.received_by(service) for service in gateway.services)


def test_an_absolute_target_is_routed_by_its_path_only(gateway: Gateway) -> None:
    assert gateway.send("GET", "http://identity/api/v1/shows").service == "catalog"


def test_a_second_request_smuggled_into_the_target_is_not_seen(gateway: Gateway) -> None:
    answer = gateway.send("GET", "/api/v1/shows%20HTTP/1.1%0d%0aX-User-Id:1")

    assert answer.status == 404


def test_the_gateway_says_that_it_is_alive(gateway: Gateway) -> None:
    answer = gateway.send("GET", "/healthz")

    assert (answer.status, answer.json) == (200, {"status": "ok"})
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "QUERY"])
@pytest.mark.parametrize("path", ["/", "/api/v1/shows", "/nowhere"])
def test_methods_the_api_does_not_use_are_not_allowed(
    gateway: Gateway, method: str, path: str
) -> None:
    answer = gateway.send(method, path, {"Cookie": "secret=1"})

    assert (answer.status, answer.json["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert "GET" in answer.headers["Allow"]
    assert b"secret" not in answer.body


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_other_method_reaches_the_service_with_its_body(
    gateway: Gateway, method: str
) -> None:
    gateway.send(method, "/api/v1/bookings", {"Cookie": "next-auth.session-token=live"}, b"{}")

    [received] = gateway.received_by("booking")
    assert (received.method, received.body) == (method, b"{}")


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/api/v1/bookings", 1_000_000, 200),
        ("/api/v1/bookings", 1_000_001, 413),
        ("/api/v1/upload/x", 1_000_001, 413),
        ("/api/auth/signin/google", 1_000_001, 413),
        ("/api/v1/upload", 5_500_000, 200),
        ("/api/v1/upload", 6_000_001, 413),
    ],
)
def test_a_body_has_a_limit_and_an_upload_a_larger_one(
    gateway: Gateway, path: str, size: int, status: int
) -> None:
    answer = gateway.send("POST", path, {"Authorization": "Bearer live"}, bytes(size))

    assert answer.status == status
    if status == 413:
        assert answer.json["code"] == "REQUEST_ENTITY_TOO_LARGE"
        assert answer.json["requestId"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(("chunks", "status"), [(15, 200), (16, 413), (90, 413)])
def test_a_body_of_undeclared_size_has_the_same_limit(
    gateway: Gateway, chunks: int, status: int
) -> None:
    body = (b"10000\r\n" + bytes(0x10000) + b"\r\n") * chunks + b"0\r\n\r\n"

    answer = gateway.send("POST", "/api/v1/bookings", {"Transfer-Encoding": "chunked"}, body)

    assert answer.status == status
    assert gateway.send("GET", "/api/v1/bookings").status == 200  # it harms nobody else

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

if TYPE_CHECKING:
    from tests.gateway.conftest import Gateway, StartGateway

FORGED = [
    "X-User-Id",
    "X-USER-ROLE",
    "X_User_Id",
    "X-User_Id",
    "X-Service-Name",
    "x-service-scope",
    "X-Internal-Anything",
    "X-Forwarded-User",
    "X-Forwarded-Host-Override",
    "X_Forwarded_For",
    "X-Client-Authorization",
    "X_Client_Authorization",
    "X-Request-Timeout",
    "Forwarded",
]


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize(
    ("service", "target"), [("booking", "/api/v1/bookings"), ("identity", "/api/auth/session")]
)
def test_a_client_cannot_say_who_it_is(
    gateway: Gateway, service: str, target: str, name: str
) -> None:
    gateway.send("GET", target, {name: "admin", "Cookie": "next-auth.session-token=live"})

    for received in gateway.received_by(service) + gateway.received_by("identity"):
        assert not [name for name, value in received.headers if "_" in name or "admin" in value]


def test_the_address_of_a_client_is_the_one_it_connects_from(gateway: Gateway) -> None:
    gateway.send("GET", "/api/v1/shows", {"X-Forwarded-For": "9.9.9.9", "X-Real-IP": "9.9.9.9"})

    [received] = gateway.received_by("catalog")
    assert received.values("X-Forwarded-For") == ["127.0.0.1"]


def test_behind_a_trusted_load_balancer_the_address_is_the_one_it_reports(
    start_gateway: StartGateway,
) -> None:
    gateway = start_gateway(TRUSTED_PROXIES="127.0.0.1/32 10.0.0.0/8")

    gateway.send("GET", "/api/v1/shows", {"X-Forwarded-For": "6.6.6.6, 9.9.9.9, 10.1.1.1"})

    assert gateway.received_by("catalog")[-1].values("X-Forwarded-For") == ["9.9.9.9"]


def test_a_request_has_an_id_of_our_own_at_the_service_and_in_the_answer(gateway: Gateway) -> None:
    answer = gateway.send("GET", "/api/v1/shows", {"X-Request-ID": "chosen-by-the-client"})
    other = gateway.send("GET", "/api/v1/shows", {"X-Request-ID": "chosen-by-the-client"})

    ids = [
        value
        for received in gateway.received_by("catalog")
        for value in received.values("X-Request-ID")
    ]
    assert ids == [answer.headers["X-Request-ID"], other.headers["X-Request-ID"]]
    assert all(UUID(value) for value in ids)
    assert ids[0] != ids[1]


@pytest.mark.parametrize(
    "target",
    ["/api/v1/shows", "/api/auth/session", "/nowhere", "/docs/booking.json", "/healthz", "/%00"],
)
def test_every_answer_has_the_security_headers_once(gateway: Gateway, target: str) -> None:
    headers = gateway.send("GET", target).headers

    expected = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    }
    for name, value in expected.items():
        assert headers.get_all(name) == [value]
    assert len(headers.get_all("X-Request-ID") or []) == 1
    assert "Server" not in headers
    assert "Via" not in headers
    assert "Strict-Transport-Security" not in headers


@pytest.mark.parametrize("target", ["/api/v1/shows", "/nowhere", "/api/v1/bookings"])
def test_at_an_https_address_browsers_are_told_to_stay_there(
    halved_gateway: Gateway, target: str
) -> None:
    headers = halved_gateway.send("GET", target).headers

    assert headers.get_all("Strict-Transport-Security") == ["max-age=31536000"]


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_answers_are_compressed_for_who_can_read_it(gateway: Gateway, encoding: str) -> None:
    answer = gateway.send("GET", "/api/v1/shows", {"Accept-Encoding": encoding})

    assert answer.headers["Content-Encoding"] == encoding


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_the_mark_of_compression_on_an_etag_is_the_gateways_own_business(
    gateway: Gateway, header: str
) -> None:
    compressed = gateway.send("GET", "/api/v1/shows", {"Accept-Encoding": "gzip"}).headers["ETag"]
    plain = gateway.send("GET", "/api/v1/shows").headers["ETag"]

    for etag in (compressed, plain):
        gateway.send("GET", "/api/v1/shows", {"Accept-Encoding": "gzip", header: etag})

        assert gateway.received_by("catalog")[-1].values(header) == [plain]


def test_the_log_has_the_request_id_and_no_secrets(gateway: Gateway) -> None:
    headers = {
        "Cookie": "next-auth.session-token=live-SECRET",
        "Authorization": "Bearer SECRET-live",
        "User-Agent": "SECRET",
    }
    targets = [
        "/api/auth/callback/google?code=SECRET&state=SECRET",
        "/api/auth/me?x=SECRET",
        "/api/v1/admin/bookings?q=SECRET%40comedy.example",
        "/api/v1/account-deletions/SECRET",
        "/api/v1/media/SECRET.webp?x=SECRET",
        "/nowhere?SECRET",
        "/api/v1/shows/0190-a?answer=nothing&code=SECRET",
        "/api/v1/shows/0190-a?code=SECRET&answer=page-500",
    ]
    for target in targets:
        answer = gateway.send("GET", target, headers)
        line = gateway.access_log(answer.headers["X-Request-ID"])

        assert line["status"] == answer.status
        assert line["service"] == (answer.service or line["service"])
        assert line["request"]["method"] == "GET"
        assert line["request"]["client_ip"] == "127.0.0.1"
        assert target.startswith(line["request"]["uri"])
        assert "headers" not in line["request"]
    assert "SECRET" not in gateway.log.read_text()


def test_a_line_break_in_a_request_makes_no_line_in_the_log(gateway: Gateway) -> None:
    answer = gateway.send("GET", '/a%0a{"request_id":"forged"}')

    assert gateway.access_log(answer.headers["X-Request-ID"])["status"] == 404
    assert '\n{"request_id":"forged"}' not in gateway.log.read_text()

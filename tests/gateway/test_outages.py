from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from tests.gateway.conftest import Answer, Gateway, StartGateway, StartService

CREDENTIAL = {"Authorization": "Bearer live"}


def assert_unavailable(answer: Answer) -> None:
    assert (answer.status, answer.json["code"]) == (503, "UNAVAILABLE")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Retry-After"] == "1"
    assert answer.json["requestId"] == answer.headers["X-Request-ID"]


def test_a_service_that_is_down_is_a_problem_with_a_time_to_try_again(
    halved_gateway: Gateway,
) -> None:
    assert_unavailable(halved_gateway.send("POST", "/api/v1/bookings", {}, b"{}"))


def test_with_identity_down_whoever_must_be_exchanged_is_told_so(halved_gateway: Gateway) -> None:
    answer = halved_gateway.send("GET", "/api/v1/shows/0190-a", CREDENTIAL)

    assert_unavailable(answer)
    assert "Signing in" in answer.json["error"]


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/api/v1/shows", CREDENTIAL),
        ("/api/v1/shows", {}),
        ("/api/v1/shows/0190-a", {}),
        ("/api/v1/media/0190-a.webp", CREDENTIAL),
        ("/api/v1/config/public", CREDENTIAL),
    ],
)
def test_with_identity_down_everything_anonymous_goes_on(
    halved_gateway: Gateway, target: str, headers: dict[str, str]
) -> None:
    assert halved_gateway.send("GET", target, headers).status == 200


def test_a_service_that_restarts_is_waited_for(
    start_gateway: StartGateway, start_service: StartService
) -> None:
    stopped = start_service("booking")
    gateway = start_gateway(BOOKING=stopped.address)
    assert gateway.send("POST", "/api/v1/bookings", {}, b"{}").status == 200
    stopped.stop()

    with ThreadPoolExecutor() as clients:
        pending = clients.submit(gateway.send, "POST", "/api/v1/bookings", {}, b"{}")
        time.sleep(0.3)
        assert not pending.done()
        started = start_service("booking", stopped.server_port)

        assert pending.result().status == 200
    assert [request.body for request in started.take_received()] == [b"{}"]


@pytest.mark.parametrize(("method", "attempts"), [("GET", {2, 3}), ("POST", {1}), ("DELETE", {1})])
def test_a_request_without_an_answer_is_repeated_once_if_it_only_reads(
    gateway: Gateway, method: str, attempts: set[int]
) -> None:
    """Once more if it went out on a connection that was kept: that may have ended by itself."""
    body = b"{}" if method == "POST" else None

    answer = gateway.send(method, "/api/v1/bookings?answer=nothing", CREDENTIAL, body)

    assert_unavailable(answer)
    assert len(gateway.received_by("booking")) in attempts


def test_a_service_that_takes_too_long_is_given_up(start_gateway: StartGateway) -> None:
    gateway = start_gateway(GATEWAY_RESPONSE_TIMEOUT="100ms", GATEWAY_TRY_DURATION="50ms")

    answer = gateway.send("GET", "/api/v1/bookings?answer=late")

    assert (answer.status, answer.json["code"]) == (504, "DEADLINE_EXCEEDED")
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("status", "answered", "code"),
    [
        (400, 400, "BAD_REQUEST"),
        (414, 400, "BAD_REQUEST"),
        (431, 431, "REQUEST_HEADER_FIELDS_TOO_LARGE"),
        (500, 500, "INTERNAL_ERROR"),
        (503, 503, "UNAVAILABLE"),
    ],
)
def test_an_error_page_of_the_server_around_a_service_becomes_a_problem(
    gateway: Gateway, status: int, answered: int, code: str
) -> None:
    answer = gateway.send("GET", f"/api/v1/bookings?answer=page-{status}")

    assert (answer.status, answer.json["status"], answer.json["code"]) == (answered, answered, code)
    assert b"<h1>" not in answer.body


def test_so_does_one_of_the_server_around_the_exchange(gateway: Gateway) -> None:
    answer = gateway.send("GET", "/api/v1/bookings", {"Authorization": "Bearer too much"})

    assert (answer.status, answer.json["code"]) == (431, "REQUEST_HEADER_FIELDS_TOO_LARGE")
    assert b"<h1>" not in answer.body


def test_what_a_real_server_cannot_read_is_a_problem(
    start_gateway: StartGateway, gunicorn: str
) -> None:
    gateway = start_gateway(CATALOG=gunicorn)

    assert gateway.send("GET", "/api/v1/shows").status == 200
    for answer in (
        gateway.send("GET", "/api/v1/shows?q=" + "a" * 9000),
        gateway.send("GET", "/api/v1/shows", {"Accept": "a" * 9000}),
    ):
        assert 400 <= answer.status < 500
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json["status"] == answer.status


def test_several_replicas_share_the_work_and_one_that_is_down_is_left_out(
    start_gateway: StartGateway, gateway: Gateway
) -> None:
    replicas = f"{gateway.services['catalog'].address} {gateway.services['config'].address}"
    both = start_gateway(CATALOG=replicas)
    answered = {both.send("GET", "/api/v1/shows").service for _ in range(20)}
    assert answered == {"catalog", "config"}

    one = start_gateway(CATALOG=f"{gateway.services['catalog'].address} 127.0.0.1:1")
    answers = [one.send("POST", "/api/v1/shows", {}, b"{}") for _ in range(10)]
    assert {answer.service for answer in answers} == {"catalog"}


def test_metrics_are_served_on_their_own_port(gateway: Gateway) -> None:
    gateway.send("GET", "/api/v1/shows")

    answer = requests.get(f"http://127.0.0.1:{gateway.metrics_port}/metrics", timeout=5)

    assert "caddy_http_request_duration_seconds_bucket" in answer.text
    assert gateway.send("GET", "/metrics").status == 404


@pytest.mark.parametrize("missing", ["IDENTITY", "CATALOG", "BOOKING", "CONFIG"])
def test_it_does_not_start_without_knowing_where_the_services_are(
    start_gateway: StartGateway, missing: str
) -> None:
    with pytest.raises(Exception, match="using config from file") as caught:
        start_gateway(**{missing: ""})

    assert caught.typename == "NotRunning"


def test_it_stops_in_order_when_asked_to(start_gateway: StartGateway) -> None:
    gateway = start_gateway()

    gateway.process.terminate()

    assert gateway.process.wait(timeout=60) == 0

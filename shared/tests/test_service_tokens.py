"""Where tokens come from, and what goes on while that place is away: a real token endpoint."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest

from service_kit.service_tokens import ServiceTokens, TokenUnavailable


class Endpoint(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = 0
        self.answer: Any = {"access_token": "t", "expires_in": 600}
        self.seconds = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/oauth/token"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        endpoint = cast("Endpoint", self.server)
        endpoint.asked += 1
        time.sleep(endpoint.seconds)
        body = json.dumps(endpoint.answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def tokens(endpoint: Endpoint) -> ServiceTokens:
    return ServiceTokens(endpoint.url, client_id="me", client_secret="s")


def test_a_token_is_fetched_once_and_kept(endpoint: Endpoint, tokens: ServiceTokens) -> None:
    endpoint.answer = {"access_token": "first", "expires_in": 600}

    assert {tokens.token("them", "read") for _ in range(5)} == {"first"}
    assert endpoint.asked == 1


def test_a_token_is_renewed_at_half_of_its_life_and_used_until_its_end(
    endpoint: Endpoint, tokens: ServiceTokens
) -> None:
    endpoint.answer = {"access_token": "first", "expires_in": 60}
    tokens.token("them", "read")
    endpoint.answer = {"no": "token"}
    kept = tokens._of("them", "read")
    kept.renew_at = time.monotonic()  # as if half of its life were over

    assert tokens.token("them", "read") == "first"
    assert endpoint.asked == 2


def test_a_token_its_audience_refuses_is_fetched_anew(
    endpoint: Endpoint, tokens: ServiceTokens
) -> None:
    tokens.token("them", "read")
    endpoint.answer = {"access_token": "second", "expires_in": 600}

    tokens.forget("them", "read")

    assert tokens.token("them", "read") == "second"


@pytest.mark.parametrize("answer", [5, [], {}, {"access_token": "t"}, {"error": "invalid_client"}])
def test_something_else_than_a_token_is_no_token(
    endpoint: Endpoint, tokens: ServiceTokens, answer: Any
) -> None:
    endpoint.answer = answer

    with pytest.raises(TokenUnavailable):
        tokens.token("them", "read")


def test_an_endpoint_that_failed_is_left_alone_for_a_moment(
    endpoint: Endpoint, tokens: ServiceTokens
) -> None:
    endpoint.answer = {}

    for _ in range(5):
        with pytest.raises(TokenUnavailable):
            tokens.token("them", "read")

    assert endpoint.asked == 1


def test_nobody_waits_longer_than_the_call_has_time(
    endpoint: Endpoint, tokens: ServiceTokens
) -> None:
    endpoint.seconds = 1.0

    with pytest.raises(TokenUnavailable):
        tokens.token("them", "read", within=0.1)

"""Calls to a peer that misbehaves: a real HTTP server, told by the path what to do."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import pytest
from prometheus_client import REGISTRY

from service_kit import deadline, metrics
from service_kit.deadline import DeadlineExceeded
from service_kit.peers import FAILURES_BEFORE_BREAK, Peer, PeerUnavailable
from service_kit.service_tokens import ServiceTokens

BODY = b'{"a":                1}'


class Misbehaving(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # of callers at once, on a crowded machine
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[dict[str, str]] = []
        self.trickled = 0  # bytes sent of a slow body

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = cast("Misbehaving", self.server)
        server.requests.append(dict(self.headers))
        what = self.path.strip("/")
        if what == "flaky":
            what = "500" if len(server.requests) == 1 else "ok"
        if what == "slow":
            time.sleep(1.5)
        if what == "hang-up":
            self.close_connection = True
            return
        body = {"garbage": b"<html>", "huge": b" " * (9 * 1024 * 1024)}.get(what, BODY)
        self.send_response(int(what) if what.isdigit() else 200)
        if what == "302":
            self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if what == "trickle":
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                server.trickled += 1
                time.sleep(0.2)
        else:
            self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 http.server's name

    def log_message(self, format: str, *args: object) -> None:
        pass

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    server = Misbehaving()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def peer(server: Misbehaving) -> Iterator[Peer]:
    peer = Peer("peer", server.url, None, timeout=1.0)
    yield peer
    peer.close()


def test_an_answer_is_read(peer: Peer) -> None:
    answer = peer.get("/ok")

    assert answer.ok
    assert answer.body == {"a": 1}


def test_a_refusal_is_an_answer(peer: Peer) -> None:
    assert (peer.get("/409").status, peer.get("/409").ok) == (409, False)


@pytest.mark.parametrize("what", ["500", "503", "302", "garbage", "huge", "slow", "hang-up"])
def test_anything_unusable_is_reported_as_such(peer: Peer, what: str) -> None:
    with pytest.raises(PeerUnavailable):
        peer.call("GET", f"/{what}", idempotent=False)


def test_a_trickling_answer_does_not_outlast_the_time_allowed(
    peer: Peer, server: Misbehaving
) -> None:
    with pytest.raises(PeerUnavailable):
        peer.call("GET", "/trickle", idempotent=False)

    assert server.trickled < len(BODY) / 2


def test_calls_to_a_slow_peer_run_beside_each_other(server: Misbehaving) -> None:
    peer = Peer("peer", server.url, None, timeout=20.0)
    try:
        with ThreadPoolExecutor(max_workers=16) as callers:
            answers = list(callers.map(lambda _: peer.get("/slow").status, range(16)))
    finally:
        peer.close()

    assert answers == [200] * 16  # one after the other, they would have taken 24 s


def test_a_caller_without_time_does_not_count_as_a_failure_of_the_peer(peer: Peer) -> None:
    for _ in range(FAILURES_BEFORE_BREAK + 1):
        token = deadline.start("50")
        try:
            with pytest.raises(PeerUnavailable):
                peer.get("/slow")
        finally:
            deadline.end(token)

    assert peer.get("/ok").ok


def test_a_read_is_tried_once_more(peer: Peer, server: Misbehaving) -> None:
    assert peer.get("/flaky").ok
    assert len(server.requests) == 2


def test_a_write_that_is_not_idempotent_is_sent_once(peer: Peer, server: Misbehaving) -> None:
    with pytest.raises(PeerUnavailable):
        peer.call("POST", "/flaky", body={}, idempotent=False)

    assert len(server.requests) == 1


def test_without_a_token_to_be_had_nothing_is_sent(server: Misbehaving) -> None:
    tokens = ServiceTokens("http://127.0.0.1:9/oauth/token", client_id="me", client_secret="s")
    peer = Peer("peer", server.url, tokens)

    with pytest.raises(PeerUnavailable, match="token endpoint"):
        peer.get("/ok", scope="things:read")

    assert server.requests == []


def test_nobody_at_the_address_is_reported_as_unavailable() -> None:
    peer = Peer("peer", "http://127.0.0.1:9", None)

    with pytest.raises(PeerUnavailable):
        peer.get("/ok")


def test_a_peer_that_keeps_failing_is_left_alone(peer: Peer, server: Misbehaving) -> None:
    for _ in range(FAILURES_BEFORE_BREAK + 3):
        with pytest.raises(PeerUnavailable):
            peer.call("GET", "/500", idempotent=False)

    assert len(server.requests) == FAILURES_BEFORE_BREAK


def test_metrics_tell_how_calls_ended_and_whether_a_peer_is_left_alone(server: Misbehaving) -> None:
    def told(metric: str, **labels: str) -> float | None:
        metrics.exposition()
        return REGISTRY.get_sample_value(metric, {"peer": "watched", **labels})

    peer = Peer("watched", server.url, None)
    peer.get("/ok")
    peer.get("/409")
    assert told("peer_breakers_open") == 0
    for _ in range(FAILURES_BEFORE_BREAK + 1):
        with pytest.raises(PeerUnavailable):
            peer.call("GET", "/500", idempotent=False)

    calls = {
        outcome: told("peer_call_duration_seconds_count", outcome=outcome)
        for outcome in ("answered", "refused", "failed")
    }
    assert calls == {"answered": 1, "refused": 1, "failed": FAILURES_BEFORE_BREAK + 1}
    assert told("peer_breakers_open") == 1
    peer.close()


def test_the_peer_is_told_how_much_time_is_left(peer: Peer, server: Misbehaving) -> None:
    token = deadline.start("700")
    try:
        peer.get("/ok")
    finally:
        deadline.end(token)

    assert 0 < int(server.requests[0][deadline.HEADER]) <= 700


def test_with_no_time_left_nothing_is_sent(peer: Peer, server: Misbehaving) -> None:
    token = deadline.start("0")
    try:
        with pytest.raises(DeadlineExceeded):
            peer.get("/ok")
    finally:
        deadline.end(token)

    assert json.dumps(server.requests) == "[]"

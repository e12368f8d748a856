"""Requests between services that are late, never arrive, or are never answered."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from chaos.peer_proxy import Mishap, PeerFault, PeerFaults, peer_proxy
from devstack.ports import LOOPBACK

ORDERS = r"POST /orders/\d+"


class Shop(ThreadingHTTPServer):
    """Takes orders and remembers them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), Desk)
        self.orders: list[str] = []


class Desk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Shop

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.orders.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"done")

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as shop:
        thread = threading.Thread(target=shop.serve_forever)
        thread.start()
        yield shop
        shop.shutdown()
        thread.join()


@pytest.fixture
def faults() -> PeerFaults:
    return PeerFaults()


@pytest.fixture
def session(shop: Shop, faults: PeerFaults) -> Iterator[requests.Session]:
    with peer_proxy(shop.server_port, faults) as port, requests.Session() as session:
        session.trust_env = False
        session.headers["Shop"] = f"http://{LOOPBACK}:{port}"
        yield session


def order(session: requests.Session, path: str) -> str:
    return session.post(f"{session.headers['Shop']!s}{path}", json={}, timeout=5).text


def test_without_a_fault_every_request_is_answered(session: requests.Session, shop: Shop) -> None:
    assert [order(session, f"/orders/{n}") for n in (1, 2)] == ["done", "done"]
    assert shop.orders == ["/orders/1", "/orders/2"]


def test_a_request_that_is_cut_off_has_no_effect(
    session: requests.Session, shop: Shop, faults: PeerFaults
) -> None:
    faults.begin(PeerFault(ORDERS, Mishap.CUT))

    with pytest.raises(requests.ConnectionError):
        order(session, "/orders/1")

    assert (shop.orders, faults.struck) == ([], 1)
    assert order(session, "/orders/2") == "done"


def test_a_lost_reply_follows_an_effect(
    session: requests.Session, shop: Shop, faults: PeerFaults
) -> None:
    faults.begin(PeerFault(ORDERS, Mishap.LOSE_REPLY, times=2))

    for number in (1, 2):
        with pytest.raises(requests.ConnectionError):
            order(session, f"/orders/{number}")

    assert order(session, "/orders/3") == "done"
    assert shop.orders == ["/orders/1", "/orders/2", "/orders/3"]


def test_a_late_request_arrives(session: requests.Session, faults: PeerFaults) -> None:
    faults.begin(PeerFault(ORDERS, Mishap.DELAY, seconds=0.3))

    began = time.monotonic()

    assert order(session, "/orders/1") == "done"
    assert time.monotonic() - began > 0.25


def test_other_requests_are_spared(session: requests.Session, faults: PeerFaults) -> None:
    faults.begin(PeerFault(ORDERS, Mishap.CUT))

    assert order(session, "/returns/1") == "done"
    assert faults.struck == 0

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from bench.load import Load, Wanted
from bench.orders import Repeated, get
from devstack.ports import LOOPBACK

Serve = Callable[..., int]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
FULL = b'HTTP/1.1 409 CONFLICT\r\ncontent-length: 19\r\n\r\n{"code":"SOLD_OUT"}'


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve connections one after the other, each with its answers, in two pieces."""
    listener = socket.create_server((LOOPBACK, 0))
    threads: list[threading.Thread] = []

    def answer(*connections: list[bytes]) -> None:
        for answers in connections:
            client, _ = listener.accept()
            with client:
                for each in answers:
                    client.recv(65536)
                    client.sendall(each[:20])
                    time.sleep(0.005)
                    client.sendall(each[20:])

    def start(*connections: list[bytes]) -> int:
        threads.append(threading.Thread(target=answer, args=connections))
        threads[0].start()
        port: int = listener.getsockname()[1]
        return port

    yield start
    threads[0].join()
    listener.close()


def failures(port: int, wanted: Wanted, *, count: int) -> Counter[str]:
    with Load(port, Repeated([get("test", "/")]), wanted, connections=1) as load:
        while len(load.answers) < count:
            load.keep_up(0.01)
    return Counter(answer.failure for answer in load.answers[:count])


def test_answers_as_wanted_are_no_failures(serve: Serve) -> None:
    port = serve([OK, OK])

    assert failures(port, Wanted(b"200", b"hello"), count=2) == {"": 2}


def test_an_answer_without_body_ends_with_its_head(serve: Serve) -> None:
    port = serve([b"HTTP/1.1 304 NOT MODIFIED\r\nETag: x\r\n\r\n"] * 3)

    assert failures(port, Wanted(b"304"), count=3) == {"": 3}


def test_other_answers_are_failures_by_status_and_code(serve: Serve) -> None:
    port = serve([FULL, OK])

    assert failures(port, Wanted(b"200"), count=2) == {"409 SOLD_OUT": 1, "": 1}


def test_a_refusal_counts_if_it_is_what_is_wanted(serve: Serve) -> None:
    port = serve([FULL, FULL])

    assert failures(port, Wanted(b"409", b'"SOLD_OUT"'), count=2) == {"": 2}


def test_a_closed_connection_is_a_failure_and_is_replaced(serve: Serve) -> None:
    port = serve([OK], [OK, OK])

    assert failures(port, Wanted(b"200"), count=4) == {"": 3, "closed": 1}

"""Replacing keys while everything runs."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
import requests
from joserfc import jws

from devstack.stack import Stack
from devstack.testing import eventually
from devstack.visitor import Visitor

VisitorFactory = Callable[..., Visitor]

pytestmark = pytest.mark.system


@contextmanager
def under_load(visitors: list[Visitor]) -> Iterator[Counter[int]]:
    """Have people read their bookings all the time; counts the answers by status."""
    answers: Counter[int] = Counter()
    stopping = threading.Event()

    def read(visitor: Visitor) -> None:
        while not stopping.is_set():
            answers[visitor.get("/api/v1/bookings").status_code] += 1
            answers[visitor.get("/api/v1/shows?limit=5").status_code] += 1

    threads = [threading.Thread(target=read, args=(visitor,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def signing_key(stack: Stack) -> str:
    """Return the id of the key with which a token is signed at this moment."""
    answer = requests.post(
        f"{stack.settings['IDENTITY_URL']}/oauth/token",
        auth=("booking", stack.settings["BOOKING_CLIENT_SECRET"]),
        data={
            "grant_type": "client_credentials",
            "audience": "config",
            "scope": "config:fees:read",
        },
        timeout=10,
    )
    token: str = answer.json()["access_token"]
    return str(jws.extract_compact(token.encode()).headers()["kid"])


def test_the_signing_key_is_replaced_without_a_refused_request(
    stack: Stack, visitor: VisitorFactory
) -> None:
    people = [visitor(f"audience0{number}@comedy.example") for number in (4, 5, 6)]
    before = signing_key(stack)

    with under_load(people) as answers:
        stack.run_command("identity", "rotate-keys")
        assert signing_key(stack) == before
        time.sleep(2)  # by now every process has looked for new keys, as within the ten minutes
        with psycopg.connect(stack.db_url("postgres"), autocommit=True) as database:
            database.execute(
                "UPDATE identity.signing_key SET active_from = active_from - interval '10 minutes'"
            )
        eventually(lambda: signing_key(stack) != before)
        counted = answers.total()
        eventually(lambda: answers.total() > counted + 100)

    assert answers.keys() == {200}

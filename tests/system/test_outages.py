"""What goes on while a process is away, and what happens when it comes back."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from devstack.stack import Stack
from devstack.testing import eventually
from devstack.visitor import Visitor

VisitorFactory = Callable[..., Visitor]
ShowFactory = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.system


@contextmanager
def without(stack: Stack, name: str) -> Iterator[None]:
    stack.stop_process(name)
    try:
        yield
    finally:
        stack.start_process(name)


def test_tickets_are_sold_while_config_is_away(
    stack: Stack, visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    show, buyer = show_on_sale(), visitor("audience@comedy.example")

    with without(stack, "config"):
        answer = buyer.post("/api/v1/bookings", {"showId": show["id"], "quantity": 1})

    assert answer.status_code == 201, answer.text


def test_tickets_are_sold_while_catalog_is_away(
    stack: Stack, visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    show, buyer = show_on_sale(), visitor("audience@comedy.example")

    with without(stack, "catalog"):
        answer = buyer.post("/api/v1/bookings", {"showId": show["id"], "quantity": 1})

    assert answer.status_code == 201, answer.text


def test_shows_are_found_while_booking_is_away(
    stack: Stack, visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    show = show_on_sale()

    with without(stack, "booking"):
        eventually(
            lambda: visitor().get("/api/v1/shows").json()["shows"][0]["ticketInventory"] is None
        )
        found = {each["id"] for each in visitor().get("/api/v1/shows?limit=200").json()["shows"]}

    assert show["id"] in found


def test_everything_anonymous_goes_on_while_identity_is_away(
    stack: Stack, visitor: VisitorFactory
) -> None:
    person = visitor("audience@comedy.example")

    with without(stack, "identity"):
        assert visitor().get("/api/v1/shows").status_code == 200
        refused = person.get("/api/v1/bookings")
        assert refused.status_code == 503
        assert refused.headers["Content-Type"] == "application/problem+json"

    eventually(lambda: person.get("/api/v1/bookings").status_code == 200)


def test_shows_are_found_while_identity_is_frozen(
    stack: Stack, visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    show_on_sale()
    stack.kill("catalog")  # so that it has neither keys nor tokens
    stack.wait_until_ready("catalog")
    pid = stack.pid("identity")

    os.killpg(pid, signal.SIGSTOP)
    try:
        answers = [visitor().get("/api/v1/shows", timeout=8) for _ in range(5)]
    finally:
        os.killpg(pid, signal.SIGCONT)

    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].json()["shows"][0]["ticketInventory"] is None
    stack.wait_until_ready("identity")


def test_a_publication_waits_for_booking_and_is_then_completed(
    stack: Stack, visitor: VisitorFactory, draft: ShowFactory
) -> None:
    show, organizer = draft(), visitor("organizer@comedy.example")

    with without(stack, "booking"):
        answer = organizer.post(f"/api/v1/shows/{show['id']}/publish")
        assert answer.status_code == 202, answer.text
        assert visitor().get(f"/api/v1/shows/{show['id']}").status_code == 404
        again = organizer.post(f"/api/v1/shows/{show['id']}/publish")
        assert (again.status_code, again.json()["code"]) == (409, "CHANGE_IN_PROGRESS")

    eventually(lambda: visitor().get(f"/api/v1/shows/{show['id']}").status_code == 200, seconds=30)


def test_a_killed_worker_comes_back_and_finishes_its_work(
    stack: Stack, visitor: VisitorFactory, draft: ShowFactory
) -> None:
    show, organizer = draft(), visitor("organizer@comedy.example")
    stack.kill("catalog-worker")

    organizer.post(f"/api/v1/shows/{show['id']}/publish")

    eventually(lambda: visitor().get(f"/api/v1/shows/{show['id']}").status_code == 200, seconds=45)


def test_a_killed_service_is_started_again(stack: Stack, visitor: VisitorFactory) -> None:
    before = stack.pid("booking")

    stack.kill("booking")

    eventually(lambda: visitor().post("/api/v1/bookings").status_code == 401, seconds=30)
    assert stack.pid("booking") != before


def test_a_killed_database_comes_back_and_nothing_acknowledged_is_lost(
    stack: Stack, visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    show, buyer = show_on_sale(totalTickets=10), visitor("audience@comedy.example")
    wish = {"showId": show["id"], "quantity": 1}
    booking = buyer.post("/api/v1/bookings", wish).json()["booking"]

    stack.kill("postgres")

    answers = [buyer.get("/api/v1/bookings").status_code for _ in range(20)]
    eventually(lambda: buyer.get(f"/api/v1/bookings/{booking['id']}").status_code == 200)
    stack.wait_until_ready("identity", "catalog", "booking", "config", "catalog-worker")
    assert set(answers) <= {200, 503, 504}
    assert buyer.post("/api/v1/bookings", wish).status_code == 201
    assert visitor("audience01@comedy.example").get("/api/v1/bookings").status_code == 200

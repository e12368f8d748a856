"""From sign-in to a booked ticket, through the gateway only."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from devstack.stack import Stack
from devstack.testing import eventually
from devstack.visitor import Visitor

VisitorFactory = Callable[..., Visitor]
ShowFactory = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.system


@pytest.mark.parametrize(
    ("email", "role"),
    [
        ("audience@comedy.example", "AUDIENCE"),
        ("organizer@comedy.example", "ORGANIZER_VERIFIED"),
        ("comedian@comedy.example", "COMEDIAN_VERIFIED"),
        ("admin@comedy.example", "ADMIN"),
        ("somebody.new@comedy.example", "AUDIENCE"),
    ],
)
def test_people_sign_in_with_their_role(visitor: VisitorFactory, email: str, role: str) -> None:
    user = visitor().sign_in(email)

    assert (user["email"], user["role"]) == (email, role)


def test_a_published_show_is_booked_and_two_tickets_fewer_are_left(
    stack: Stack, visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    show = show_on_sale(ticketPrice=499, totalTickets=10)
    buyer = visitor("audience@comedy.example")

    answer = buyer.post("/api/v1/bookings", {"showId": show["id"], "quantity": 2})

    assert answer.status_code == 201, answer.text
    booking = answer.json()["booking"]
    assert (booking["totalAmount"], booking["bookingFee"]) == (998, 89.82)
    assert booking["platformFee"] == 79.84
    assert booking["show"]["title"] == show["title"]
    _wait_for_available(buyer, show["id"], 8)
    with psycopg.connect(stack.db_url("auditor")) as connection:
        row = connection.execute(
            "SELECT quantity, status FROM booking.booking WHERE id = %s", (booking["id"],)
        ).fetchone()
    assert row == (2, "CONFIRMED_UNPAID")


def test_a_buyer_finds_the_booking_again_and_nobody_else_does(
    visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    buyer, other = visitor("audience01@comedy.example"), visitor("audience02@comedy.example")
    wish = {"showId": show_on_sale()["id"], "quantity": 1}
    booking = buyer.post("/api/v1/bookings", wish).json()["booking"]

    listed = buyer.get(f"/api/v1/bookings?showId={wish['showId']}").json()["bookings"]

    assert [each["id"] for each in listed] == [booking["id"]]
    assert buyer.get(f"/api/v1/bookings/{booking['id']}").status_code == 200
    assert other.get(f"/api/v1/bookings/{booking['id']}").status_code == 404


def test_sold_out_and_unknown_shows_answer_by_name(
    visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    buyer = visitor("audience@comedy.example")

    def book(show_id: str, quantity: int) -> tuple[int, str | None]:
        answer = buyer.post("/api/v1/bookings", {"showId": show_id, "quantity": quantity})
        return answer.status_code, answer.json().get("code")

    small = show_on_sale(totalTickets=2)["id"]
    assert book(small, 3) == (409, "SOLD_OUT")
    assert book(small, 2) == (201, None)
    assert book(small, 1) == (409, "SOLD_OUT")
    assert book("00000000-0000-7000-8000-000000000000", 1) == (404, "SHOW_NOT_FOUND")


def test_a_draft_is_nobodys_business_but_its_creators(
    visitor: VisitorFactory, draft: ShowFactory
) -> None:
    path = f"/api/v1/shows/{(show := draft())['id']}"
    wish = {"showId": show["id"], "quantity": 1}

    assert visitor("organizer@comedy.example").get(path).status_code == 200
    assert visitor("admin@comedy.example").get(path).status_code == 200
    assert visitor("audience@comedy.example").get(path).status_code == 404
    assert visitor().get(path).status_code == 404
    eventually_refused = visitor("audience@comedy.example").post("/api/v1/bookings", wish)
    assert eventually_refused.status_code in {404, 409}


def test_only_approved_creators_put_shows_on(visitor: VisitorFactory) -> None:
    for email in ("audience@comedy.example", "newcomer@comedy.example"):
        assert visitor(email).post("/api/v1/shows", {}).status_code == 403
    assert visitor().post("/api/v1/shows", {}).status_code == 401


def test_the_demonstration_performs_the_journey(stack: Stack) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo"],
        env={
            **os.environ,
            "PUBLIC_URL": stack.url,
            "DATABASE_URL": stack.db_url("auditor"),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "available 5 → 3" in done.stdout
    assert "SOLD_OUT" in done.stdout


def _wait_for_available(visitor: Visitor, show_id: str, expected: int) -> None:
    def is_shown() -> bool:
        show = visitor.get(f"/api/v1/shows/{show_id}").json()["show"]
        return bool(show["ticketInventory"]["available"] == expected)

    eventually(is_shown)

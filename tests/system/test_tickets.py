"""From a booked ticket to the seat, through the gateway only."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devstack.visitor import Visitor

VisitorFactory = Callable[..., Visitor]
ShowFactory = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.system


def test_a_ticket_is_shown_at_the_door_and_opens_it_once(
    visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    tonight = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    show = show_on_sale(date=tonight, ticketPrice=499)
    buyer, door = visitor("audience@comedy.example"), visitor("organizer@comedy.example")
    booking = buyer.post("/api/v1/bookings", {"showId": show["id"], "quantity": 2}).json()[
        "booking"
    ]
    path = f"/api/v1/bookings/{booking['id']}"

    [first, _second] = buyer.get(f"{path}/tickets").json()["tickets"]
    picture = buyer.get(f"{path}/tickets/1.png")
    scan = {"code": first["code"], "nonce": "door-1"}
    admitted = door.post("/api/v1/checkins", scan)
    again = door.post("/api/v1/checkins", scan)
    other = door.post("/api/v1/checkins", scan | {"nonce": "door-2"})

    assert picture.headers["Content-Type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert admitted.status_code == 201, admitted.text
    assert admitted.json()["admission"]["amountDue"] == 1087.82
    assert again.json() == admitted.json()
    assert (other.status_code, other.json()["code"]) == (409, "ALREADY_ADMITTED")
    statuses = [ticket["status"] for ticket in buyer.get(path).json()["booking"]["tickets"]]
    assert statuses == ["ADMITTED", "VALID"]
    assert buyer.post("/api/v1/checkins", scan).status_code == 404
    assert visitor("comedian@comedy.example").post("/api/v1/checkins", scan).status_code == 404
    assert visitor().post("/api/v1/checkins", scan).status_code == 401


def test_everybody_has_the_keys_that_prove_tickets_with_a_dead_session_too(
    visitor: VisitorFactory,
) -> None:
    dead = {"Cookie": "next-auth.session-token=dead"}

    answer = visitor().get("/api/v1/checkins/keys", headers=dead)

    assert answer.status_code == 200
    assert [key["crv"] for key in answer.json()["keys"]] == ["Ed25519"]

"""The demonstration season: the same ids in every service, made once, whole."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from devstack.stack import SEEDING, Stack
from devstack.testing import eventually
from devstack.visitor import Visitor
from service_kit.seeding import seed_id

VisitorFactory = Callable[..., Visitor]

pytestmark = pytest.mark.system


def counts(stack: Stack) -> dict[str, int]:
    tables = ('identity."user"', "catalog.show", "catalog.comedian", "booking.booking")
    with psycopg.connect(stack.db_url("auditor")) as connection:
        return {table: connection.execute(f"SELECT 1 FROM {table}").rowcount for table in tables}


def test_about_twenty_shows_wait_for_the_audience(visitor: VisitorFactory) -> None:
    def season() -> list[dict[str, Any]]:
        shows = visitor().get("/api/v1/shows").json()["shows"]
        return [show for show in shows if show["title"] != "System Test Night"]

    # names are missing for a moment after identity was away, as other tests have it
    eventually(lambda: [show for show in season() if not show["creator"]["name"]] == [])
    shows = season()
    assert len(shows) >= 15
    assert [show["date"] for show in shows] == sorted(show["date"] for show in shows)
    assert any(show["showComedians"] for show in shows)


def test_one_show_is_nearly_sold_out(visitor: VisitorFactory) -> None:
    show = visitor().get(f"/api/v1/shows/{seed_id('show:nearly-sold-out')}").json()["show"]

    assert show["ticketInventory"]["available"] == 3


def test_the_ended_show_keeps_its_bookings_and_leaves_discovery(
    visitor: VisitorFactory,
) -> None:
    ended = str(seed_id("show:ended"))
    shows = visitor().get("/api/v1/shows").json()["shows"]
    buyer = visitor("audience01@comedy.example")

    assert ended not in {show["id"] for show in shows}
    assert len(buyer.get(f"/api/v1/bookings?showId={ended}").json()["bookings"]) == 1
    refused = buyer.post("/api/v1/bookings", {"showId": ended, "quantity": 1})
    assert (refused.status_code, refused.json()["code"]) == (409, "SHOW_STARTED")


def test_seeding_again_adds_nothing(stack: Stack) -> None:
    before = counts(stack)

    for service, *words in SEEDING:
        stack.run_command(service, *words)

    assert counts(stack) == before


def test_no_reference_between_services_dangles(stack: Stack) -> None:
    queries = {
        "creators of shows": (
            "SELECT count(*) FROM catalog.show s"
            ' LEFT JOIN identity."user" u ON u.id = s.creator_id WHERE u.id IS NULL'
        ),
        "buyers of bookings": (
            "SELECT count(*) FROM booking.booking b"
            ' LEFT JOIN identity."user" u ON u.id = b.user_id'
            " WHERE u.id IS NULL AND b.retain_until IS NULL"  # not even of who is gone
        ),
        "shows of inventory": (
            "SELECT count(*) FROM booking.ticket_inventory i"
            " LEFT JOIN catalog.show s ON s.id = i.show_id"
            " WHERE s.id IS NULL AND i.creator_id IS NOT NULL AND i.cancelled_at IS NULL"
        ),
        "capacity as catalog says": (
            "SELECT count(*) FROM booking.ticket_inventory i"
            " JOIN catalog.show s ON s.id = i.show_id WHERE i.capacity <> s.capacity"
        ),
    }
    with psycopg.connect(stack.db_url("auditor")) as connection:
        found = {what: connection.execute(query).fetchone() for what, query in queries.items()}

    assert found == dict.fromkeys(queries, (0,))

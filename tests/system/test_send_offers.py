"""Catalog and booking agree again after one of them alone has gone back to a backup."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from tests.system.conftest import ShowFactory, VisitorFactory
from tests.system.test_account_deletion import book

from devstack.errors import StackError
from devstack.stack import Stack
from devstack.testing import eventually

pytestmark = pytest.mark.system


class Databases:
    """What a restore does to rows, done by hand."""

    def __init__(self, stack: Stack) -> None:
        self._url = stack.db_url()

    def change(self, statement: str, *values: object) -> None:
        with psycopg.connect(self._url) as connection:
            assert connection.execute(statement, values).rowcount == 1

    def row(self, query: str, *values: object) -> tuple[Any, ...] | None:
        with psycopg.connect(self._url) as connection:
            return connection.execute(query, values).fetchone()

    def agree_about(self, show_id: str) -> bool:
        return self.row(
            "SELECT FROM catalog.show AS s JOIN booking.ticket_inventory AS i ON i.show_id = s.id"
            " WHERE s.id = %s AND (i.version, i.capacity, i.on_sale)"
            " = (s.version, s.capacity, s.status = 'PUBLISHED')",
            show_id,
        ) is not None  # fmt: skip


@pytest.fixture
def databases(stack: Stack) -> Databases:
    return Databases(stack)


def test_booking_offers_what_catalog_has_and_nothing_else(
    stack: Stack, databases: Databases, visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    buyer = visitor("audience07@comedy.example")
    newer, older, cancelled = show_on_sale(), show_on_sale(), show_on_sale()
    booking = book(buyer, cancelled)
    # booking from before the show, catalog from before an edit, booking from before a cancellation
    databases.change("DELETE FROM booking.ticket_inventory WHERE show_id = %s", newer["id"])
    databases.change("UPDATE catalog.show SET version = version - 1 WHERE id = %s", older["id"])
    databases.change(
        "UPDATE catalog.show SET status = 'CANCELLED', version = version + 1 WHERE id = %s",
        cancelled["id"],
    )
    unknown = uuid4()
    databases.change(
        "INSERT INTO booking.ticket_inventory (show_id, version, creator_id, title, venue, city,"
        " starts_at, duration_minutes, capacity, available, price_paise, on_sale)"
        " SELECT %s, version, creator_id, title, venue, city,"
        " starts_at, duration_minutes, capacity, capacity, price_paise, on_sale"
        " FROM booking.ticket_inventory WHERE show_id = %s",
        *(unknown, older["id"]),
    )

    said = stack.run_command("catalog", "send-offers")

    assert "1 unknown ones are withdrawn; 0 were refused" in said
    for show in (newer, older, cancelled):
        assert databases.agree_about(show["id"])
    assert databases.row("SELECT FROM booking.ticket_inventory WHERE show_id = %s", unknown) is None
    book(buyer, newer)
    mine = f"/api/v1/bookings/{booking['id']}"
    eventually(lambda: buyer.get(mine).json()["booking"]["status"] == "CANCELLED")


def test_what_would_break_a_promise_to_buyers_is_named_and_left_alone(
    stack: Stack, databases: Databases, visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    show = show_on_sale()
    book(visitor("audience08@comedy.example"), show, 3)
    resize = "UPDATE catalog.show SET capacity = %s, version = version + %s WHERE id = %s"
    databases.change(resize, 2, 1, show["id"])

    with pytest.raises(StackError, match=f"show {show['id']}: CAPACITY_BELOW_SOLD"):
        stack.run_command("catalog", "send-offers")

    databases.change(resize, show["totalTickets"], -1, show["id"])
    assert databases.agree_about(show["id"])

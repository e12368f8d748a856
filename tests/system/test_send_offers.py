"""Catalog and booking agree again after one of them alone has gone back to a backup."""

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from tests.system.conftest import ShowFactory, VisitorFactory
from tests.system.test_account_deletion import book

from check_invariants import violations
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

    def dangling_ids(self) -> set[str]:
        with psycopg.connect(self._url) as connection:
            found = [rows for known, rows in violations(connection) if known.name == "I19"]
        return {str(row[1]) for rows in found for row in rows}

    def admin(self) -> str:
        found = self.row("SELECT id::text FROM identity.\"user\" WHERE role = 'ADMIN' LIMIT 1")
        assert found is not None
        return str(found[0])

    def offer_that_catalog_does_not_know(self, *, like: str) -> UUID:
        show_id = uuid4()
        self.change(
            "INSERT INTO booking.ticket_inventory (show_id, version, creator_id, title, venue,"
            " city, starts_at, duration_minutes, capacity, available, price_paise, on_sale)"
            " SELECT %s, version, creator_id, title, venue,"
            " city, starts_at, duration_minutes, capacity, capacity, price_paise, on_sale"
            " FROM booking.ticket_inventory WHERE show_id = %s",
            *(show_id, like),
        )
        return show_id


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
    unknown = databases.offer_that_catalog_does_not_know(like=older["id"])

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


def test_what_catalog_does_not_know_goes_on_being_sold_until_an_operator_cancels_it(
    stack: Stack, databases: Databases, visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    known, buyer = show_on_sale(), visitor("audience09@comedy.example")
    unknown = str(databases.offer_that_catalog_does_not_know(like=known["id"]))
    booking = book(buyer, {"id": unknown})
    with pytest.raises(StackError, match=f"show {unknown}: HAS_BOOKINGS"):
        stack.run_command("catalog", "send-offers")
    assert unknown in databases.dangling_ids()

    def cancel(show_id: str) -> str:
        why = ("--by", databases.admin(), "--reason", "Lost, sorry.", "--yes")
        return stack.run_command("catalog", "cancel-unknown-show", show_id, *why)

    with pytest.raises(StackError, match="The show is here"):
        cancel(known["id"])
    assert f"show {unknown} is cancelled" in cancel(unknown)

    mine = f"/api/v1/bookings/{booking['id']}"
    eventually(lambda: buyer.get(mine).json()["booking"]["status"] == "CANCELLED")
    assert "0 were refused" in stack.run_command("catalog", "send-offers")
    assert unknown not in databases.dangling_ids()
    with pytest.raises(StackError, match="or it is cancelled"):
        cancel(unknown)

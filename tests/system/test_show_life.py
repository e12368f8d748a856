"""What may happen to a show that is sold, just when it is sold, and while processes are killed."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psycopg
import pytest
import requests
from psycopg.rows import dict_row

from devstack.stack import Stack
from devstack.testing import eventually
from devstack.visitor import Visitor

VisitorFactory = Callable[..., Visitor]
ShowFactory = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.system

BOTH_SIDES = """
    SELECT s.status, s.capacity, s.price_paise, s.venue, i.on_sale, i.cancelled_at,
           i.capacity AS offered_capacity, i.price_paise AS offered_price_paise,
           i.venue AS offered_venue, i.available, i.locked, i.sold,
           EXISTS (SELECT FROM catalog.show_change AS c
                   WHERE c.show_id = s.id AND c.status = 'OPEN') AS undecided
    FROM (SELECT %s::uuid AS id) AS wanted
    LEFT JOIN catalog.show AS s USING (id)
    LEFT JOIN booking.ticket_inventory AS i ON i.show_id = wanted.id
"""


@pytest.fixture
def both_sides(stack: Stack) -> Callable[[str], dict[str, Any]]:
    """Look at a show as catalog and as booking has it."""

    def look(show_id: str) -> dict[str, Any]:
        with psycopg.connect(stack.db_url("auditor"), row_factory=dict_row) as connection:
            row = connection.execute(BOTH_SIDES, (show_id,)).fetchone()
        assert row is not None
        return row

    return look


def refusal(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def assert_both_sides_agree(row: dict[str, Any]) -> None:
    """A show is one thing or the other: never published here and closed there."""
    assert not row["undecided"]
    if row["status"] is None:
        assert row["on_sale"] is None
        return
    assert row["on_sale"] is (row["status"] == "PUBLISHED")
    assert (row["cancelled_at"] is not None) is (row["status"] == "CANCELLED")
    for name in ("capacity", "price_paise", "venue"):
        assert row[name] == row[f"offered_{name}"]
    assert row["available"] + row["locked"] + row["sold"] == row["capacity"]


def test_what_was_promised_to_buyers_is_kept_until_the_show_is_cancelled_and_paid_back(
    visitor: VisitorFactory, admin: Visitor, show_on_sale: ShowFactory, both_sides: Any
) -> None:
    show, organizer = show_on_sale(totalTickets=10), visitor("organizer@comedy.example")
    buyer = visitor("audience@comedy.example")
    path = f"/api/v1/shows/{show['id']}"
    wish = {"showId": show["id"], "quantity": 2}
    booking = buyer.post("/api/v1/bookings", wish).json()["booking"]

    def put(person: Visitor, **body: Any) -> requests.Response:
        return person.send("PUT", path, json=body)

    assert refusal(put(organizer, ticketPrice=1)) == (409, "HAS_ACTIVE_BOOKINGS")
    assert refusal(put(organizer, totalTickets=1)) == (409, "CAPACITY_BELOW_SOLD")
    assert refusal(put(organizer, venue="Elsewhere")) == (409, "FIXED_ONCE_PUBLISHED")
    assert refusal(admin.post(f"{path}/unpublish")) == (409, "HAS_ACTIVE_BOOKINGS")
    assert refusal(organizer.send("DELETE", path)) == (409, "HAS_BOOKINGS")
    assert refusal(organizer.post(f"{path}/publish")) == (409, "ALREADY_PUBLISHED")
    assert put(organizer, totalTickets=2, description="Full").status_code == 200
    assert refusal(buyer.post("/api/v1/bookings", wish)) == (409, "SOLD_OUT")
    assert put(admin, venue="A larger room", totalTickets=50).status_code == 200
    assert_both_sides_agree(both_sides(show["id"]))
    seen = visitor().get(path).json()["show"]
    assert (seen["venue"], seen["version"]) == ("A larger room", None)
    (listed,) = admin.get("/api/v1/admin/shows?limit=1").json()["shows"]
    assert listed["stats"] == {"ticketsSold": 2, "revenue": 998}
    assert listed["creator"]["email"] == "organizer@comedy.example"

    cancelled = organizer.post(f"{path}/cancel", {"reason": "The comedian is ill."})

    assert (cancelled.status_code, cancelled.json()["show"]["status"]) == (200, "CANCELLED")
    assert refusal(buyer.post("/api/v1/bookings", wish)) == (409, "SHOW_NOT_ON_SALE")

    def progress() -> dict[str, Any]:
        found: dict[str, Any] = organizer.get(f"{path}/cancellation").json()["cancellation"]
        return found

    eventually(lambda: progress()["state"] == "COMPLETED")
    assert progress()["total"] == progress()["cancelled"] == 1
    mine = buyer.get(f"/api/v1/bookings/{booking['id']}").json()
    assert mine.get("booking", mine)["status"] == "CANCELLED"
    assert_both_sides_agree(both_sides(show["id"]))
    assert refusal(organizer.send("DELETE", path)) == (409, "HAS_BOOKINGS")


@pytest.mark.parametrize("change", ["capacity", "unpublish", "cancel"])
def test_a_change_and_sales_at_the_same_moment_leave_one_order_of_events(
    visitor: VisitorFactory,
    admin: Visitor,
    show_on_sale: ShowFactory,
    both_sides: Any,
    change: str,
) -> None:
    show = show_on_sale(totalTickets=6)
    path = f"/api/v1/shows/{show['id']}"
    buyers = [visitor(f"audience{number:02}@comedy.example") for number in (1, 2, 3)]
    together = threading.Barrier(len(buyers) + 1)

    def buy(buyer: Visitor) -> int:
        together.wait()
        wish = {"showId": show["id"], "quantity": 1}
        answers = [buyer.post("/api/v1/bookings", wish) for _ in range(2)]
        return sum(answer.status_code == 201 for answer in answers)

    def alter() -> requests.Response:
        together.wait()
        if change == "capacity":
            return admin.send("PUT", path, json={"totalTickets": 3})
        body = {"reason": "Rain"} if change == "cancel" else None
        return admin.post(f"{path}/{change}", body)

    with ThreadPoolExecutor(4) as people:
        altering = people.submit(alter)
        sold = sum(people.map(buy, buyers))
        answer = altering.result()

    eventually(lambda: not both_sides(show["id"])["undecided"])
    row = both_sides(show["id"])
    assert_both_sides_agree(row)
    if change == "capacity":
        assert row["sold"] == sold
        assert answer.status_code == (200 if row["capacity"] == 3 else 409)
        assert sold <= row["capacity"]
    elif change == "unpublish":
        assert row["sold"] == sold
        assert (answer.status_code, row["status"]) == (
            (409, "PUBLISHED") if sold else (200, "DRAFT")
        )
    else:
        assert (answer.status_code, row["status"]) == (200, "CANCELLED")
        eventually(lambda: both_sides(show["id"])["sold"] == 0)


# What is wished of a show on sale; nobody has a ticket, so booking agrees to all of it.
WISHES: dict[str, Callable[[Visitor, str], requests.Response]] = {
    "edit": lambda admin, path: admin.send(
        "PUT", path, json={"totalTickets": 7, "ticketPrice": 50, "description": "All or nothing"}
    ),
    "move": lambda admin, path: admin.send("PUT", path, json={"venue": "Elsewhere"}),
    "unpublish": lambda admin, path: admin.post(f"{path}/unpublish"),
    "cancel": lambda admin, path: admin.post(f"{path}/cancel", {"reason": "Rain"}),
    "delete": lambda admin, path: admin.send("DELETE", path),
}


@pytest.mark.parametrize("victim", ["catalog-worker", "booking", "catalog"])
def test_whatever_is_killed_around_a_decision_a_show_ends_up_one_thing_or_the_other(
    stack: Stack, admin: Visitor, show_on_sale: ShowFactory, both_sides: Any, victim: str
) -> None:
    shows = {name: show_on_sale(totalTickets=10)["id"] for name in WISHES}
    delay = random.uniform(0.0, 0.4)  # noqa: S311 which step is hit does not have to be a secret
    answers: dict[str, int] = {}

    def wish(name: str) -> None:
        with suppress(requests.ConnectionError):  # killed in the middle of its answer
            answers[name] = WISHES[name](admin, f"/api/v1/shows/{shows[name]}").status_code

    threads = [threading.Thread(target=wish, args=[name]) for name in WISHES]
    for thread in threads:
        thread.start()
    time.sleep(delay)
    stack.kill(victim)
    for thread in threads:
        thread.join()
    stack.wait_until_ready("catalog", "booking", "catalog-worker")

    print(f"{victim} was killed after {delay:.3f} s: {answers}")  # noqa: T201 shown if it fails
    eventually(
        lambda: not any(both_sides(show_id)["undecided"] for show_id in shows.values()), seconds=45
    )
    rows = {name: both_sides(show_id) for name, show_id in shows.items()}
    for row in rows.values():
        assert_both_sides_agree(row)
    changed = {
        "edit": rows["edit"]["capacity"] == 7,
        "move": rows["move"]["venue"] == "Elsewhere",
        "unpublish": rows["unpublish"]["status"] == "DRAFT",
        "cancel": rows["cancel"]["status"] == "CANCELLED",
        "delete": rows["delete"]["status"] is None,
    }
    assert (rows["edit"]["price_paise"] == 5000) is changed["edit"]
    acknowledged = {name for name, status in answers.items() if status in {200, 202}}
    assert {name for name in acknowledged if not changed[name]} == set()

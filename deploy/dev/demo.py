"""`make demo`: from sign-in to a booked ticket through the gateway, then the row in Postgres."""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import requests

from devstack.visitor import SignInFailed, Visitor

SHOW = {
    "title": "Demo Night: Laughs Guaranteed",
    "venue": "Heart Cup Coffee, Jubilee Hills",
    "city": "Hyderabad",
    "googleMapsLink": "https://maps.google.com/?q=Heart+Cup+Coffee+Jubilee+Hills",
    "ticketPrice": 499,
    "totalTickets": 5,
    "durationMinutes": 90,
    "description": "A show that `make demo` put on.",
}
UNKNOWN_SHOW = "00000000-0000-7000-8000-000000000000"


class Unexpected(Exception):
    """The system answered otherwise than it should."""


def main() -> int:
    """Perform the journey and say what happens."""
    url = os.environ["PUBLIC_URL"]
    try:
        perform(url, database_url=os.environ["DATABASE_URL"])
    except (Unexpected, SignInFailed, requests.RequestException) as error:
        print(f"\n✗ {error}", file=sys.stderr)
        return 1
    print("\nThat is the whole journey. The show and the booking stay in the database.")
    return 0


def perform(url: str, *, database_url: str) -> None:
    """Publish a show, book it, and meet the refusals a buyer may meet."""
    organizer, buyer = Visitor(url), Visitor(url)
    try:
        _journey(organizer, buyer, database_url)
    finally:
        organizer.close()
        buyer.close()


def _journey(organizer: Visitor, buyer: Visitor, database_url: str) -> None:
    heading("An approved organizer puts a show on")
    user = organizer.sign_in("organizer@comedy.example")
    say(f"signed in as {user['email']}", f"role {user['role']}")
    date = (datetime.now(UTC) + timedelta(days=14)).isoformat(timespec="milliseconds")
    show = expect(201, organizer.post("/api/v1/shows", {**SHOW, "date": date}))["show"]
    say("POST /api/v1/shows", f"draft {show['id']}")
    expect(404, Visitor(buyer.url).get(f"/api/v1/shows/{show['id']}"))
    say("GET  /api/v1/shows/{id}", "404 for everybody else while it is a draft")
    expect(200, organizer.post(f"/api/v1/shows/{show['id']}/publish"))
    say("POST /api/v1/shows/{id}/publish", "published; booking has opened the sale")

    heading("An audience user books two tickets")
    user = buyer.sign_in("audience@comedy.example")
    say(f"signed in as {user['email']}", f"role {user['role']}")
    before = available(buyer, show["id"])
    wish = {"showId": show["id"], "quantity": 2}
    quote = expect(200, buyer.post("/api/v1/bookings/quote", wish))["quote"]
    say("POST /api/v1/bookings/quote", f"₹{quote['grandTotal']} for 2, fee included")
    wish["expectedTotal"] = quote["grandTotal"]
    key = {"Idempotency-Key": f"demo-{show['id']}"}
    booking = expect(201, buyer.post("/api/v1/bookings", wish, headers=key))["booking"]
    say("POST /api/v1/bookings", f"{booking['status']} {booking['id']}")
    say("  tickets", f"₹{booking['totalAmount']}")
    say("  convenience fee", f"₹{booking['bookingFee']}, paid by the buyer on top")
    say("  platform fee", f"₹{booking['platformFee']}, taken from the creator's share")
    again = expect(201, buyer.post("/api/v1/bookings", wish, headers=key))["booking"]
    require(again == booking, "the same Idempotency-Key must give the same answer")
    say("POST again, same Idempotency-Key", "the same booking, nothing taken twice")
    after = available(buyer, show["id"], expected=before - 2)
    say("GET  /api/v1/shows/{id}", f"available {before} → {after}")

    heading("What a buyer may meet besides")
    refused = expect(409, buyer.post("/api/v1/bookings", {"showId": show["id"], "quantity": 4}))
    say("more tickets than are left", f"409 {refused['code']}: {refused['error']}")
    unknown = {"showId": UNKNOWN_SHOW, "quantity": 1}
    refused = expect(404, buyer.post("/api/v1/bookings", unknown))
    say("a show that does not exist", f"404 {refused['code']}: {refused['error']}")
    refused = expect(401, Visitor(buyer.url).post("/api/v1/bookings", unknown))
    say("without signing in", f"401 {refused['code']}: {refused['error']}")

    heading("In Postgres")
    for line in rows(database_url, booking["id"]):
        say(*line)


def available(visitor: Visitor, show_id: str, *, expected: int | None = None) -> int:
    """Return how many tickets the site shows as available; what it shows may be 2 s old."""
    deadline = datetime.now(UTC) + timedelta(seconds=5)
    while True:
        show = expect(200, visitor.get(f"/api/v1/shows/{show_id}"))["show"]
        inventory = show["ticketInventory"]  # null while booking cannot be asked
        shown = inventory and int(inventory["available"])
        if shown is not None and expected in {None, shown}:
            return int(shown)
        require(datetime.now(UTC) < deadline, f"available is {shown}, not {expected}")


def rows(database_url: str, booking_id: str) -> Sequence[tuple[str, str]]:
    """Return what booking's schema holds of the booking and its show."""
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT b.quantity, b.ticket_total_paise, b.status, i.available, i.sold, i.capacity"
            " FROM booking.booking b JOIN booking.ticket_inventory i USING (show_id)"
            " WHERE b.id = %s",
            (booking_id,),
        ).fetchone()
    if found is None:
        raise Unexpected("the booking is not in the database")
    quantity, total, status, left, sold, capacity = found
    return [
        ("booking.booking", f"{quantity} tickets, {total} paise, {status}"),
        ("booking.ticket_inventory", f"available {left} + sold {sold} = capacity {capacity}"),
    ]


def expect(status: int, response: requests.Response) -> Any:
    """Return the body of a response that has the expected status."""
    if response.status_code != status:
        said = f"{response.request.method} {response.url}: {response.status_code}, not {status}"
        raise Unexpected(f"{said}\n  {response.text[:500]}")
    return response.json()


def require(fact: bool, otherwise: str) -> None:
    """Stop the journey if something is not as it should be."""
    if not fact:
        raise Unexpected(otherwise)


def heading(text: str) -> None:
    """Announce a part of the journey."""
    print(f"\n{text}")


def say(what: str, outcome: str) -> None:
    """Tell one step and its outcome."""
    print(f"  {what:<36} {outcome}")


if __name__ == "__main__":
    sys.exit(main())

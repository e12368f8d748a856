"""What an admin decides about a creator, through the gateway, up to what buyers meet."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from tests.system.conftest import ADMIN_PASSWORD

from devstack.stack import Stack
from devstack.testing import eventually
from devstack.visitor import Visitor

VisitorFactory = Callable[..., Visitor]

pytestmark = pytest.mark.system

CREATOR = "hitec@comedy.example"
ORGANIZERS = "/api/v1/admin/organizers"


@pytest.fixture
def creator(visitor: VisitorFactory) -> Visitor:
    return visitor(CREATOR)


@pytest.fixture
def decide(
    stack: Stack, visitor: VisitorFactory, creator: Visitor
) -> Iterator[Callable[..., None]]:
    """Have an admin decide about the creator, who is approved again in the end."""
    admin = visitor("admin@comedy.example")
    admin.give_second_factor(ADMIN_PASSWORD)
    creator_id = creator.get("/api/auth/me").json()["id"]

    def decide(action: str, **more: Any) -> None:
        wish = {"organizerId": creator_id, "action": action, "reason": "a test", **more}
        answer = admin.post(ORGANIZERS, wish)
        assert answer.status_code == 200, answer.text

    yield decide
    if creator.get("/api/auth/me").json()["role"] != "ORGANIZER_VERIFIED":
        decide("ENABLE")
    eventually(lambda: everybody_knows(stack))  # the next test may begin


def everybody_knows(stack: Stack) -> bool:
    """Return whether booking and catalog have all that was told about creators."""
    with psycopg.connect(stack.db_url("auditor")) as database:
        unheard = database.execute(
            "SELECT user_id, version FROM identity.standing"
            " EXCEPT (SELECT creator_id, version FROM booking.creator_standing"
            " INTERSECT SELECT creator_id, version FROM catalog.creator_standing)"
        ).fetchall()
    return not unheard


@pytest.fixture
def show(creator: Visitor) -> dict[str, Any]:
    """A show that the creator has put on sale."""
    body = {
        "title": "Weeknight Comedy",
        "date": (datetime.now(UTC) + timedelta(days=10)).isoformat(),
        "venue": "HITEC City",
        "googleMapsLink": "https://maps.google.com/?q=HITEC+City",
        "ticketPrice": 500,
        "totalTickets": 50,
    }
    drafted = creator.post("/api/v1/shows", body).json()["show"]
    published = creator.post(f"/api/v1/shows/{drafted['id']}/publish")
    assert published.status_code == 200, published.text
    show: dict[str, Any] = published.json()["show"]
    return show


def outcome_of_buying(buyer: Visitor, show: dict[str, Any], *, action: str = "") -> Any:
    """Return the code of the refusal, None if the tickets are sold."""
    wish = {"showId": show["id"], "quantity": 1}
    return buyer.post(f"/api/v1/bookings{action}", wish).json().get("code")


def is_for_sale(visitor: Visitor, show: dict[str, Any]) -> bool:
    return outcome_of_buying(visitor, show, action="/quote") is None


def is_listed(visitor: Visitor, show: dict[str, Any]) -> bool:
    found = visitor.get("/api/v1/shows?limit=200").json()["shows"]
    return show["id"] in {each["id"] for each in found}


def test_a_revoked_creators_shows_are_off_sale_and_out_of_sight_until_enabled(
    visitor: VisitorFactory,
    creator: Visitor,
    decide: Callable[..., None],
    show: dict[str, Any],
) -> None:
    buyer, passer_by = visitor("audience03@comedy.example"), visitor()
    wish = {"showId": show["id"], "quantity": 2}
    booking = buyer.post("/api/v1/bookings", wish).json()["booking"]
    assert is_listed(passer_by, show)

    decide("REVOKE")

    eventually(lambda: not is_for_sale(passer_by, show))
    eventually(lambda: not is_listed(passer_by, show))
    assert outcome_of_buying(buyer, show) == "SHOW_NOT_ON_SALE"
    assert passer_by.get(f"/api/v1/shows/{show['id']}").status_code == 404
    kept = buyer.get(f"/api/v1/bookings/{booking['id']}").json()["booking"]
    assert (kept["status"], kept["quantity"]) == ("CONFIRMED_UNPAID", 2)
    assert creator.get(f"/api/v1/shows/{show['id']}").status_code == 200
    own = creator.get("/api/v1/shows?mode=manage&limit=200").json()["shows"]
    assert show["id"] in {each["id"] for each in own}
    assert creator.post("/api/v1/shows", {}).status_code == 403

    decide("ENABLE")

    eventually(lambda: is_for_sale(passer_by, show) and is_listed(passer_by, show))
    assert outcome_of_buying(buyer, show) is None


def test_a_revocation_arrives_though_booking_was_away_and_the_worker_killed_meanwhile(
    stack: Stack,
    visitor: VisitorFactory,
    decide: Callable[..., None],
    show: dict[str, Any],
) -> None:
    passer_by = visitor()

    def commands_to_booking_under_way() -> int:
        with psycopg.connect(stack.db_url("auditor")) as database:
            row = database.execute(
                "SELECT count(*) FROM identity_workflows.workflow_status"
                " WHERE workflow_uuid LIKE 'standing:%:booking' AND status = 'PENDING'"
            ).fetchone()
        assert row is not None
        return int(row[0])

    stack.stop_process("booking")
    try:
        decide("REVOKE")
        eventually(lambda: not is_listed(passer_by, show))  # catalog waits for nobody
        eventually(lambda: commands_to_booking_under_way() == 1)
        stack.kill("identity-worker")
    finally:
        stack.start_process("booking")

    eventually(lambda: not is_for_sale(passer_by, show), seconds=45)
    eventually(lambda: commands_to_booking_under_way() == 0)


def test_a_fee_agreed_with_a_creator_counts_from_the_next_booking_on(
    stack: Stack,
    visitor: VisitorFactory,
    decide: Callable[..., None],
    show: dict[str, Any],
) -> None:
    buyer = visitor("audience07@comedy.example")
    wish = {"showId": show["id"], "quantity": 2}

    def booking_goes_by(basis_points: int | None) -> bool:
        with psycopg.connect(stack.db_url("auditor")) as database:
            row = database.execute(
                "SELECT creator_fee_basis_points FROM booking.ticket_inventory WHERE show_id = %s",
                (show["id"],),
            ).fetchone()
        return row == (basis_points,)

    before = buyer.post("/api/v1/bookings", wish).json()["booking"]
    decide("UPDATE_FEE", customPlatformFee=12.5)
    try:
        eventually(lambda: booking_goes_by(1250))
        after = buyer.post("/api/v1/bookings", wish).json()["booking"]
    finally:
        decide("UPDATE_FEE", customPlatformFee=None)

    assert (before["platformFee"], after["platformFee"]) == (80, 125)
    eventually(lambda: booking_goes_by(None))
    with psycopg.connect(stack.db_url("auditor")) as database:
        stored = database.execute(
            "SELECT platform_fee_paise FROM booking.booking WHERE show_id = %s ORDER BY id",
            (show["id"],),
        ).fetchall()
    assert stored == [(8000,), (12500,)]

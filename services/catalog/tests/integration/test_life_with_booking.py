"""Every kind of guarded change against the real booking: agreed to, refused, and asked about twice.

A worker that is killed around booking's decision asks again and settles again; so does every test
here, before it looks at both sides.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask.testing import FlaskClient

from catalog_service.app import create_app
from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeStatus, ShowChange
from catalog_service.domain.comedians import ComedianDetails
from catalog_service.domain.edits import Edit
from catalog_service.domain.offers import offer_of
from catalog_service.domain.shows import Show, ShowDetails, ShowStatus
from catalog_service.usecases.ask_booking import ask_booking
from catalog_service.usecases.cancel_show import cancel_show
from catalog_service.usecases.create_comedian import create_comedian
from catalog_service.usecases.create_show import create_show
from catalog_service.usecases.delete_show import delete_show
from catalog_service.usecases.edit_show import edit_show
from catalog_service.usecases.publish_show import publish_show
from catalog_service.usecases.settle_change import settle_change
from catalog_service.usecases.unpublish_show import unpublish_show
from catalog_service.wiring import Wiring
from devstack.testing import Databases, eventually
from service_kit.seeding import seed_id
from service_kit.testing import TokenIssuer

OWNER = Actor(id=uuid4(), role="ORGANIZER", approved=True)
ADMIN = Actor(id=uuid4(), role="ADMIN", approved=False)
LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)

Change = Callable[[Wiring, Show], ShowChange | None]


@dataclass(frozen=True)
class Offered:
    """A show as booking holds it."""

    on_sale: bool
    capacity: int
    price_paise: int
    starts_at: datetime
    venue: str
    version: int


@pytest.fixture(scope="module")
def use(connected: Wiring) -> Wiring:
    return connected


@pytest.fixture
def on_sale(use: Wiring) -> Callable[..., Show]:
    def make(*, by: Actor = OWNER) -> Show:
        details = ShowDetails(
            title="Open Mic",
            starts_at=LATER - timedelta(days=20),
            venue="Lamakaan",
            google_maps_link="https://goo.gl/maps/x",
            price_paise=49_900,
            capacity=40,
        )
        comedian = create_comedian(
            use.begin, actor=ADMIN, details=ComedianDetails(name="Imran Baig")
        )
        show = create_show(
            use.begin,
            use.people,
            actor=by,
            details=details,
            comedian_ids=[comedian.id],
            now=use.now(),
        )
        carry_through(use, publish_show(use.begin, actor=by, show_id=show.id, now=use.now()))
        return stored(use, show.id) or show

    return make


@pytest.fixture
def ask(databases: Databases) -> Callable[[UUID], Offered | None]:
    """Look at booking's side."""

    def look(show_id: UUID) -> Offered | None:
        names = ", ".join(Offered.__dataclass_fields__)
        query = f"SELECT {names} FROM booking.ticket_inventory WHERE show_id = %s"  # noqa: S608
        with psycopg.connect(databases.of("booking").url) as connection:
            row = connection.execute(query, (show_id,)).fetchone()
        return None if row is None else Offered(*row)

    return look


@pytest.fixture
def sell(databases: Databases) -> Callable[[UUID], None]:
    """Have two tickets of a show sold, as far as its inventory is concerned."""

    def take(show_id: UUID) -> None:
        with psycopg.connect(databases.of("booking").url) as connection:
            connection.execute(
                "UPDATE booking.ticket_inventory SET available = available - 2, sold = sold + 2 "
                "WHERE show_id = %s",
                (show_id,),
            )

    return take


def carry_through(use: Wiring, change: ShowChange | None) -> ShowChange | None:
    """Do what the worker does, killed after each step; return the decided change."""
    assert change is not None
    refusal = ask_booking(use.read, use.offers, change_id=change.id)
    assert ask_booking(use.read, use.offers, change_id=change.id) == refusal
    for _ in range(2):
        settle_change(use.begin, change_id=change.id, refusal=refusal)
    with use.read() as tx:
        return tx.changes.find(change.id)


def stored(use: Wiring, show_id: UUID) -> Show | None:
    with use.read() as tx:
        return tx.shows.find(show_id)


def edit(**details: Any) -> Change:
    return lambda use, show: edit_show(
        use.begin,
        actor=ADMIN,
        show_id=show.id,
        edit=Edit({k: v for k, v in details.items() if k != "bill"}, details.get("bill")),
        seen_version=show.version,
        now=use.now(),
    )


def unpublish(use: Wiring, show: Show) -> ShowChange:
    return unpublish_show(use.begin, actor=ADMIN, show_id=show.id)


def delete(use: Wiring, show: Show) -> ShowChange:
    return delete_show(use.begin, actor=OWNER, show_id=show.id)


AGREED: dict[str, tuple[Change, dict[str, Any]]] = {
    "capacity": (edit(capacity=2), {"capacity": 2}),
    "price": (edit(price_paise=100), {"price_paise": 100}),
    "date": (edit(starts_at=LATER), {"starts_at": LATER}),
    "venue": (edit(venue="The Loft"), {"venue": "The Loft"}),
    "performer": (edit(bill=()), {}),
    "unpublish": (unpublish, {"on_sale": False}),
}


@pytest.mark.parametrize("name", AGREED)
def test_what_booking_agrees_to_is_the_same_on_both_sides(
    use: Wiring, on_sale: Any, ask: Any, name: str
) -> None:
    wish, expected = AGREED[name]
    show = on_sale()

    change = carry_through(use, wish(use, show))

    after, offered = stored(use, show.id), ask(show.id)
    assert change is not None
    assert after is not None
    assert (change.status, after.version) == (ChangeStatus.APPLIED, change.version)
    assert offered == Offered(
        on_sale=after.status is ShowStatus.PUBLISHED,
        capacity=after.details.capacity,
        price_paise=after.details.price_paise,
        starts_at=after.details.starts_at,
        venue=after.details.venue,
        version=after.version,
    )
    assert {name: getattr(offered, name) for name in expected} == expected


def test_a_deleted_show_is_gone_on_both_sides_and_late_news_do_not_bring_it_back(
    use: Wiring, on_sale: Any, ask: Any
) -> None:
    show = on_sale()
    assert carry_through(use, delete(use, show)) is None

    assert stored(use, show.id) is None
    assert ask(show.id) is None
    late = use.offers.put(offer_of(show))
    assert late is not None
    assert late.code == "OUTDATED"
    assert ask(show.id) is None


# What is refused once two tickets are sold, and by which name.
REFUSED: dict[str, tuple[Change, str]] = {
    "capacity below sold": (edit(capacity=1), "CAPACITY_BELOW_SOLD"),
    "price": (edit(price_paise=100), "HAS_ACTIVE_BOOKINGS"),
    "price with more": (edit(price_paise=100, capacity=50, title="x"), "HAS_ACTIVE_BOOKINGS"),
    "performer": (edit(bill=()), "HAS_ACTIVE_BOOKINGS"),
    "unpublish": (unpublish, "HAS_ACTIVE_BOOKINGS"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_booking_refuses_leaves_both_sides_as_they_were(
    use: Wiring, on_sale: Any, ask: Any, sell: Any, name: str
) -> None:
    wish, code = REFUSED[name]
    show = on_sale()
    sell(show.id)
    before = ask(show.id)

    change = carry_through(use, wish(use, show))

    assert change is not None
    assert (change.status, change.refusal_code) == (ChangeStatus.REFUSED, code)
    after = stored(use, show.id)
    assert after is not None
    assert (after.details, after.status) == (show.details, show.status)
    assert ask(show.id) == before


SOLD: dict[str, tuple[Change, dict[str, Any]]] = {
    "capacity down to sold": (edit(capacity=2), {"capacity": 2}),
    "date": (edit(starts_at=LATER), {"starts_at": LATER}),
    "venue": (edit(venue="The Loft"), {"venue": "The Loft"}),
}


@pytest.mark.parametrize("name", SOLD)
def test_what_a_sold_show_may_still_have_changed(
    use: Wiring, on_sale: Any, ask: Any, sell: Any, name: str
) -> None:
    wish, expected = SOLD[name]
    show = on_sale()
    sell(show.id)

    change = carry_through(use, wish(use, show))

    assert change is not None
    assert change.status is ChangeStatus.APPLIED
    offered = ask(show.id)
    assert {name: getattr(offered, name) for name in expected} == expected


@pytest.mark.usefixtures("worker")
def test_the_answer_to_an_edit_has_the_outcome(
    use: Wiring, issuer: TokenIssuer, on_sale: Any, sell: Any
) -> None:
    client: FlaskClient = create_app(use).test_client()
    headers = issuer.user(OWNER.id, role=OWNER.role, approved=True)
    show = on_sale()
    path = f"/api/v1/shows/{show.id}"

    applied = client.put(path, json={"totalTickets": 30}, headers=headers)
    sell(show.id)
    refused = client.put(path, json={"ticketPrice": 1, "description": "x"}, headers=headers)
    lowered = client.put(path, json={"totalTickets": 2}, headers=headers)
    unpublished = client.post(f"{path}/unpublish", headers=issuer.admin(ADMIN.id))

    assert (applied.status_code, applied.get_json()["pendingChange"]) == (200, None)
    assert applied.get_json()["show"]["totalTickets"] == 30
    assert (refused.status_code, refused.get_json()["code"]) == (409, "HAS_ACTIVE_BOOKINGS")
    assert lowered.get_json()["show"]["totalTickets"] == 2
    assert (unpublished.status_code, unpublished.get_json()["code"]) == (409, "HAS_ACTIVE_BOOKINGS")
    history = client.get(f"{path}/changes", headers=headers).get_json()["changes"]
    assert [(each["kind"], each["status"]) for each in history] == [
        ("UNPUBLISH", "REFUSED"),
        ("EDIT", "APPLIED"),
        ("EDIT", "REFUSED"),
        ("EDIT", "APPLIED"),
        ("PUBLISH", "APPLIED"),
    ]


@pytest.mark.usefixtures("worker")
def test_a_show_that_was_taken_back_is_edited_deleted_and_gone(
    use: Wiring, issuer: TokenIssuer, on_sale: Any, ask: Any
) -> None:
    client: FlaskClient = create_app(use).test_client()
    headers = issuer.user(OWNER.id, role=OWNER.role, approved=True)
    show = on_sale()
    path = f"/api/v1/shows/{show.id}"

    unpublished = client.post(f"{path}/unpublish", headers=issuer.admin(ADMIN.id))
    edited = client.put(path, json={"ticketPrice": 1, "title": "x"}, headers=headers)
    deleted = client.delete(path, headers=headers)

    assert unpublished.get_json()["show"]["status"] == "DRAFT"
    assert edited.get_json()["show"]["ticketPrice"] == 1
    assert (deleted.status_code, deleted.get_json()) == (
        200,
        {"success": True, "show": None, "pendingChange": None},
    )
    assert client.get(path, headers=headers).status_code == 404
    assert ask(show.id) is None


def test_a_cancelled_show_is_off_sale_for_ever_on_both_sides(
    use: Wiring, on_sale: Any, sell: Any
) -> None:
    show = on_sale()
    sell(show.id)

    change = carry_through(
        use,
        cancel_show(use.begin, actor=OWNER, show_id=show.id, reason="Rain", now=use.now()),
    )

    assert change is not None
    assert change.status is ChangeStatus.APPLIED
    after = stored(use, show.id)
    assert after is not None
    assert after.status is ShowStatus.CANCELLED
    reopening = use.offers.put(replace(offer_of(show), version=after.version + 1))
    assert reopening is not None
    assert reopening.code == "SHOW_CANCELLED"
    cancellation = use.cancellations.of_show(show.id)
    assert cancellation is not None
    assert (cancellation.reason, cancellation.state) == ("Rain", "RUNNING")


@pytest.mark.usefixtures("worker")
def test_the_progress_of_a_cancellation_is_read_and_what_was_cancelled_stays_so(
    use: Wiring, issuer: TokenIssuer, on_sale: Any
) -> None:
    client: FlaskClient = create_app(use).test_client()
    headers = issuer.user(OWNER.id, role=OWNER.role, approved=True)
    path = f"/api/v1/shows/{on_sale().id}"
    assert client.get(f"{path}/cancellation", headers=headers).status_code == 404

    cancelled = client.post(f"{path}/cancel", json={"reason": "Rain"}, headers=headers)
    progress = client.get(f"{path}/cancellation", headers=headers).get_json()["cancellation"]
    again = client.post(f"{path}/cancel", json={"reason": "Rain"}, headers=headers)
    edited = client.put(path, json={"description": "x"}, headers=headers)
    published = client.post(f"{path}/publish", headers=headers)

    assert cancelled.get_json()["show"]["status"] == "CANCELLED"
    assert cancelled.get_json()["show"]["isPublished"] is False
    assert (progress["reason"], progress["total"], progress["failed"]) == ("Rain", 0, 0)
    assert {answer.get_json()["code"] for answer in (again, edited, published)} == {
        "SHOW_CANCELLED"
    }
    assert client.get(path).status_code == 404
    assert client.get(path, headers=headers).get_json()["show"]["status"] == "CANCELLED"
    gone = client.delete(path, headers=headers)  # it never had a booking
    assert (gone.status_code, gone.get_json()["success"]) == (200, True)


@pytest.mark.usefixtures("worker")
def test_an_admin_sees_who_sold_what_and_sets_the_fee_that_is_charged(
    use: Wiring, issuer: TokenIssuer, on_sale: Any, databases: Databases
) -> None:
    client: FlaskClient = create_app(use).test_client()
    organizer = Actor(id=seed_id("user:organizer@comedy.example"), role="ORGANIZER", approved=True)
    show = on_sale(by=organizer)
    admins = issuer.admin(ADMIN.id)
    action = {"showId": str(show.id), "action": "UPDATE_FEE", "customPlatformFee": 5.5}

    (listed,) = client.get("/api/v1/admin/shows?limit=1", headers=admins).get_json()["shows"]
    charged = client.post("/api/v1/admin/shows", json=action, headers=admins)

    assert listed["creator"] == {
        "id": str(organizer.id),
        "name": "Laughing Buddha Nights",
        "role": "ORGANIZER_VERIFIED",
        "email": "organizer@comedy.example",
        "organizerProfile": {"name": "Laughing Buddha Nights"},
    }
    assert listed["stats"] == {"ticketsSold": 0, "revenue": 0}
    assert (listed["_count"], listed["isDisbursed"]) == ({"bookings": 0}, False)
    assert charged.get_json()["show"]["customPlatformFee"] == 5.5
    query = "SELECT platform_fee_basis_points FROM booking.ticket_inventory WHERE show_id = %s"
    with psycopg.connect(databases.of("booking").url) as connection:
        assert connection.execute(query, (show.id,)).fetchone() == (550,)


@pytest.mark.usefixtures("worker")
def test_an_admin_has_the_creator_of_an_ended_show_paid_out_once(
    use: Wiring, issuer: TokenIssuer, on_sale: Any
) -> None:
    client: FlaskClient = create_app(use).test_client()
    show, headers = on_sale(), issuer.admin(ADMIN.id)

    def set_disbursed(disbursed: bool) -> tuple[int, str | None, bool | None]:
        body = {"showId": str(show.id), "action": "SET_DISBURSED", "isDisbursed": disbursed}
        response = client.post("/api/v1/admin/shows", json=body, headers=headers)
        answer = response.get_json()
        return response.status_code, answer.get("code"), answer.get("show", {}).get("isDisbursed")

    assert set_disbursed(True) == (409, "SHOW_NOT_ENDED", None)
    assert set_disbursed(False) == (200, None, False)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    moved = client.put(f"/api/v1/shows/{show.id}", json={"date": yesterday}, headers=headers)
    assert moved.status_code == 200, moved.text

    assert set_disbursed(True) == (200, None, True)
    assert set_disbursed(True) == (409, "ALREADY_DISBURSED", None)
    eventually(lambda: set_disbursed(False) == (409, "ALREADY_DISBURSED", None))
    (listed,) = client.get("/api/v1/admin/shows?limit=1", headers=headers).get_json()["shows"]
    assert (listed["id"], listed["isDisbursed"]) == (str(show.id), True)
    for others in ({}, headers):
        shown = client.get(f"/api/v1/shows/{show.id}", headers=others).get_json()["show"]
        assert shown["isDisbursed"] is bool(others)

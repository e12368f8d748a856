"""A person is deleted, or not, with every process at work; afterwards nothing of her is found."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import requests
from PIL import Image
from tests.system.conftest import published

from devstack.stack import Stack
from devstack.testing import eventually
from devstack.visitor import SignInFailed, Visitor
from erasure_scan.scan import scan
from service_kit.person_hashes import PersonHashes

VisitorFactory = Callable[..., Visitor]
ShowFactory = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.system

DELETE = "/api/v1/profile/delete"
SECONDS = 60  # every deletion is over by then


class Person:
    """Somebody new, with everything known that could be left of her."""

    def __init__(self, visitor: Visitor) -> None:
        self.name = f"Zenobia{uuid4().hex[:10]}"
        self.email = f"{self.name.lower()}@people.example"
        self.phone = f"9{uuid4().int % 10**9:09d}"
        self.browser = visitor
        self.id = str(visitor.sign_in(self.email)["id"])
        answers = {"name": self.name, "age": 31, "city": "Hyderabad", "watchedComedy": "yes"}
        answer = visitor.post("/api/v1/onboarding", {**answers, "phone": self.phone})
        assert answer.status_code == 200, answer.text

    def becomes_organizer(self, admin: Visitor) -> None:
        profile = {"name": f"{self.name} Nights", "contact": self.phone}
        links: dict[str, list[str]] = {"youtubeUrls": [], "instagramUrls": []}
        answer = self.browser.post("/api/v1/organizer/profile", {**profile, **links})
        assert answer.ok, answer.text
        decision = {"organizerId": self.id, "action": "APPROVE"}
        answer = admin.post("/api/v1/admin/organizers", decision)
        assert answer.ok, answer.text

    def drafts(self, **changes: Any) -> dict[str, Any]:
        show = {
            "title": "An Evening Of Somebody",
            "date": (datetime.now(UTC) + timedelta(days=10)).isoformat(),
            "venue": "Heart Cup Coffee, Jubilee Hills",
            "googleMapsLink": "https://maps.google.com/?q=Jubilee+Hills",
            "ticketPrice": 499,
            "totalTickets": 10,
            **changes,
        }
        answer = self.browser.post("/api/v1/shows", show)
        assert answer.status_code == 201, answer.text
        return dict(answer.json()["show"])

    def publishes(self, **changes: Any) -> dict[str, Any]:
        show = self.drafts(**changes)
        return published(self.browser, show)

    def uploads(self) -> str:
        image = BytesIO()
        Image.linear_gradient("L").save(image, "PNG")
        files = {"file": ("me.png", image.getvalue(), "image/png")}
        answer = self.browser.send("POST", "/api/v1/upload", files=files, data={"type": "show"})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["url"])

    def books(self, show: dict[str, Any], quantity: int = 1) -> dict[str, Any]:
        return book(self.browser, show, quantity)

    def deletes(self) -> requests.Response:
        return self.browser.post(DELETE)


def book(buyer: Visitor, show: dict[str, Any], quantity: int = 1) -> dict[str, Any]:
    wish = {"showId": show["id"], "quantity": quantity}
    answer = buyer.post("/api/v1/bookings", wish, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["booking"])


def available(visitor: Visitor, show: dict[str, Any]) -> int:
    answer = visitor.get(f"/api/v1/shows/{show['id']}")
    assert answer.status_code == 200, answer.text
    return int(answer.json()["show"]["ticketInventory"]["available"])


@pytest.fixture
def somebody(visitor: VisitorFactory) -> Callable[[], Person]:
    return lambda: Person(visitor())


@pytest.fixture
def status(visitor: VisitorFactory) -> Callable[[requests.Response], dict[str, Any]]:
    """Look, as a stranger, at the link that the answer to a wish gives."""

    def look(answer: requests.Response) -> dict[str, Any]:
        stranger = visitor()
        told = stranger.get(answer.json()["statusUrl"].removeprefix(stranger.url))
        assert told.status_code == 200, told.text
        return dict(told.json())

    return look


@pytest.fixture
def is_gone(stack: Stack) -> Callable[[Person], None]:
    """Search every table, upload and log for all that is known of a person."""

    def search(person: Person) -> None:
        run_dir = stack.settings.run_dir
        folders = [run_dir / "logs", Path(stack.settings["MEDIA_DIR"]), run_dir / "metrics"]
        known = {
            "id": person.id,
            "email": person.email,
            "name": person.name,
            "phone": person.phone,
        }
        left = scan(stack.db_url("auditor"), [each for each in folders if each.exists()], known)
        assert [str(each) for each in left] == []

    return search


Status = Callable[[requests.Response], dict[str, Any]]
IsGone = Callable[[Person], None]


def completed(status: Status, answer: requests.Response) -> dict[str, Any]:
    eventually(lambda: status(answer)["state"] == "COMPLETED", seconds=SECONDS)
    return status(answer)


def test_a_buyer_is_deleted_with_everything_and_the_seats_are_free_again(
    visitor: VisitorFactory,
    show_on_sale: ShowFactory,
    somebody: Callable[[], Person],
    status: Status,
    is_gone: IsGone,
) -> None:
    show, other = show_on_sale(), visitor("audience05@comedy.example")
    person = somebody()
    person.books(show, 3)
    others = book(other, show, 2)

    answer = person.deletes()

    assert answer.status_code == 200, answer.text
    assert answer.json()["success"] is True
    assert person.browser.get("/api/auth/session").json() == {}
    done = completed(status, answer)
    assert [step["name"] for step in done["steps"]] == [
        "fence_identity",
        "fence_booking",
        "fence_catalog",
        "journal",
        "purge_booking",
        "purge_catalog",
        "purge_config",
        "purge_identity",
    ]
    assert all(step["doneAt"] for step in done["steps"])
    assert done["receipt"]["identity"]["accounts"] == 1
    assert done["receipt"].keys() == {"booking", "catalog", "config", "identity"}
    eventually(lambda: available(other, show) == show["totalTickets"] - 2)
    assert other.get(f"/api/v1/bookings/{others['id']}").json()["booking"]["quantity"] == 2
    is_gone(person)


def test_who_signs_in_again_is_somebody_new(
    visitor: VisitorFactory,
    show_on_sale: ShowFactory,
    somebody: Callable[[], Person],
    status: Status,
) -> None:
    person = somebody()
    person.books(show_on_sale())
    completed(status, person.deletes())

    again = visitor()
    user = again.sign_in(person.email)

    assert user["id"] != person.id
    assert (user["onboardingCompleted"], user["phone"]) == (False, None)
    assert again.get("/api/v1/bookings").json()["bookings"] == []


def test_a_creator_is_deleted_with_shows_uploads_and_entries(
    stack: Stack,
    visitor: VisitorFactory,
    somebody: Callable[[], Person],
    admin: Visitor,
    status: Status,
    is_gone: IsGone,
) -> None:
    person = somebody()
    person.becomes_organizer(admin)
    poster = person.uploads()
    comedian = {"name": f"{person.name} Junior", "youtubeUrls": [], "instagramUrls": []}
    assert person.browser.post("/api/v1/comedians", comedian).status_code == 201
    draft = person.drafts(posterImageUrl=poster)
    published = person.publishes(title=f"{person.name} Live")

    answer = person.deletes()

    assert answer.status_code == 200, answer.text
    assert visitor().get(f"/api/v1/shows/{published['id']}").status_code == 404
    completed(status, answer)
    for show in (draft, published):
        assert admin.get(f"/api/v1/shows/{show['id']}").status_code == 404
    assert visitor().get(poster).status_code == 404
    assert not list(Path(stack.settings["MEDIA_DIR"]).rglob(poster.rpartition("/")[2]))
    is_gone(person)


def test_a_creator_whose_show_others_have_tickets_for_stays_and_is_told_why(
    visitor: VisitorFactory, somebody: Callable[[], Person], admin: Visitor, status: Status
) -> None:
    person, buyer = somebody(), visitor("audience06@comedy.example")
    person.becomes_organizer(admin)
    show = person.publishes(title="Sold Already")
    own = person.books(show)
    booking = book(buyer, show)

    answer = person.deletes()

    assert answer.status_code == 409, answer.text
    problem = answer.json()
    assert problem["code"] == "DELETION_REFUSED"
    assert "Sold Already" in problem["error"]
    assert [shown["id"] for shown in problem["reasons"][0]["shows"]] == [show["id"]]
    assert status(answer)["state"] == "REFUSED"
    # as before: signed in, on sale, editable, every booking in its place
    assert person.browser.get("/api/auth/session").json()["user"]["id"] == person.id
    assert visitor().get(f"/api/v1/shows/{show['id']}").status_code == 200
    edited = person.browser.send(
        "PUT", f"/api/v1/shows/{show['id']}", json={"description": "Still here."}
    )
    assert edited.status_code == 200, edited.text
    book(buyer, show)
    for who, theirs in ((person.browser, own), (buyer, booking)):
        kept = who.get(f"/api/v1/bookings/{theirs['id']}").json()["booking"]
        assert kept["status"] == theirs["status"]

    cancelled = person.browser.post(f"/api/v1/shows/{show['id']}/cancel", {"reason": "Leaving."})
    assert cancelled.status_code in {200, 202}, cancelled.text
    progress = f"/api/v1/shows/{show['id']}/cancellation"
    eventually(lambda: person.browser.get(progress).json()["cancellation"]["state"] == "COMPLETED")
    answer = person.deletes()
    assert answer.status_code == 200, answer.text
    completed(status, answer)
    mine = buyer.get(f"/api/v1/bookings/{booking['id']}").json()["booking"]
    assert mine["status"] == "CANCELLED"  # and still there, with its show


def test_while_a_service_is_away_the_wish_waits_and_is_then_fulfilled(
    stack: Stack, somebody: Callable[[], Person], status: Status, is_gone: IsGone
) -> None:
    person = somebody()

    stack.stop_process("catalog")
    try:
        answer = person.deletes()
        assert answer.status_code == 202, answer.text
        assert answer.headers["Location"] == answer.json()["statusUrl"]
        assert status(answer)["state"] == "PREPARING"
        assert person.browser.get("/api/auth/session").json() == {}
        again = person.deletes()
        assert (again.status_code, again.json()) == (202, answer.json())
        for path in ("/api/v1/bookings", "/api/auth/me", "/api/v1/profile/export"):
            assert person.browser.get(path).status_code == 401
        with pytest.raises(SignInFailed):
            person.browser.sign_in(person.email)
    finally:
        stack.start_process("catalog")

    completed(status, answer)
    is_gone(person)
    assert person.deletes().status_code == 401


def test_killed_in_the_middle_the_worker_goes_on_where_it_was(
    stack: Stack, somebody: Callable[[], Person], status: Status, is_gone: IsGone
) -> None:
    person = somebody()
    stack.stop_process("config")
    try:
        answer = person.deletes()
        assert answer.status_code == 200, answer.text
        eventually(lambda: status(answer)["steps"][-1]["name"] == "purge_config")
        stack.kill("identity-worker")
    finally:
        stack.start_process("config")

    completed(status, answer)
    is_gone(person)


def test_an_administrator_sees_deletions_and_not_whose_they_were(
    somebody: Callable[[], Person], admin: Visitor, status: Status
) -> None:
    person = somebody()
    answer = person.deletes()
    completed(status, answer)

    listed = admin.get("/api/v1/admin/account-deletions?state=COMPLETED").json()["deletions"]

    assert listed[0]["receipt"]["identity"]["accounts"] == 1
    assert {each["userId"] for each in listed} == {None}
    assert person.id not in str(listed)


def test_an_administrator_stays(admin: Visitor) -> None:
    answer = admin.post(DELETE)

    assert (answer.status_code, answer.json()["code"]) == (403, "ADMIN_ACCOUNT")


def test_whom_a_restored_database_brings_back_is_deleted_again(
    stack: Stack,
    show_on_sale: ShowFactory,
    somebody: Callable[[], Person],
    status: Status,
    is_gone: IsGone,
) -> None:
    person = somebody()
    booking = person.books(show_on_sale())
    completed(status, person.deletes())
    bring_back(stack, person, booking["id"])

    stack.run_command("identity", "replay-deletions")

    def gone() -> bool:
        with psycopg.connect(stack.db_url("auditor")) as connection:
            return not connection.execute(
                "SELECT FROM booking.idempotency_key WHERE user_id = %s"
                " UNION ALL SELECT FROM identity.account_deletion"
                " WHERE state NOT IN ('REFUSED', 'COMPLETED')",
                (person.id,),
            ).fetchall()

    eventually(gone, seconds=SECONDS)
    is_gone(person)


def bring_back(stack: Stack, person: Person, booking_id: str) -> None:
    """Do to booking's database what a restore does: a row of the person is there, no tombstone."""
    person_hash = PersonHashes(stack.settings["ERASURE_KEY"]).of(UUID(person.id))
    with psycopg.connect(stack.db_url("booking_owner")) as connection:
        connection.execute(
            "DELETE FROM booking.account_deletion WHERE person_hash = %s", (person_hash,)
        )
        connection.execute(
            "INSERT INTO booking.idempotency_key (user_id, operation, key, fingerprint, facts)"
            " SELECT %s, 'POST /api/v1/bookings', 'k', 'f', jsonb_build_object('id', id)"
            " FROM booking.booking WHERE id = %s",
            (person.id, booking_id),
        )

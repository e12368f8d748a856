"""What identity asks booking when an account is deleted."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from booking_service.domain.bookings import Booking
from booking_service.domain.limits import BookingLimits
from booking_service.domain.ticket_codes import Seat
from booking_service.domain.tickets import Admission
from booking_service.usecases.confirm_booking import confirm_booking
from booking_service.wiring import Wiring
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., UUID]
HoldFactory = Callable[..., Booking]
Ask = Callable[..., Any]


@pytest.fixture
def ask(client: FlaskClient, issuer: TokenIssuer) -> Ask:
    headers = issuer.service("identity", audience="booking", scope="booking:purge-user")

    def post(path: str, **body: object) -> Any:
        return client.post(f"/internal/deletions/{path}", json=body, headers=headers)

    return post


def test_a_fence_and_its_lifting_say_how_things_stand(ask: Ask) -> None:
    saga_id, person_id = uuid4(), str(uuid4())

    for command, state in (("fence", "FENCED"), ("lift", "LIFTED"), ("fence", "LIFTED")):
        answer = ask(f"{saga_id}/{command}", personId=person_id)

        assert answer.status_code == 200
        assert answer.json == {"state": state, "reasons": [], "counts": {}}


def test_a_refusal_says_which_shows_are_in_the_way(
    ask: Ask, show_with: ShowFactory, hold: HoldFactory
) -> None:
    person_id = uuid4()
    show_id = show_with(creator_id=person_id, title="Open Mic")
    hold(show_id)

    answer = ask(f"{uuid4()}/fence", personId=str(person_id))

    assert answer.status_code == 200
    assert answer.json == {
        "state": "REFUSED",
        "reasons": [
            {
                "code": "SHOWS_WITH_TICKETS",
                "message": "You have a show with sold tickets: Open Mic."
                " Cancel it or wait until it is over.",
                "shows": [{"id": str(show_id), "title": "Open Mic"}],
            }
        ],
        "counts": {},
    }


def test_another_deletion_of_the_same_person_is_a_conflict(ask: Ask) -> None:
    person_id = str(uuid4())
    ask(f"{uuid4()}/fence", personId=person_id)

    answer = ask(f"{uuid4()}/fence", personId=person_id)

    assert (answer.status_code, answer.json["code"]) == (409, "ANOTHER_DELETION")


@pytest.mark.parametrize("command", ["fence", "lift", "purge"])
@pytest.mark.parametrize("body", [{}, {"personId": "me"}, {"personId": None}, {"person": "x"}])
def test_nobody_is_deleted_by_a_bad_request(
    command: str, body: dict[str, object], ask: Ask
) -> None:
    assert ask(f"{uuid4()}/{command}", **body).status_code == 422
    assert ask(f"me/{command}", personId=str(uuid4())).status_code == 404


def test_a_purge_is_counted_for_the_receipt(
    ask: Ask, show_with: ShowFactory, hold: HoldFactory
) -> None:
    saga_id, person_id = uuid4(), uuid4()
    hold(show_with(), buyer_id=person_id)
    show_with(creator_id=person_id)
    purged = {
        "state": "PURGED",
        "reasons": [],
        "counts": {
            "holdsReleased": 1,
            "bookingsCancelled": 0,
            "bookingsAnonymised": 1,
            "offersDeleted": 1,
            "showsCancelled": 0,
            "showsKept": 0,
        },
    }

    for command in ("purge", "purge", "lift", "fence"):
        answer = ask(f"{saga_id}/{command}", personId=str(person_id))
        assert (answer.status_code, answer.json) == (200, purged)


def test_who_came_back_is_found_by_hash(
    use: Wiring, ask: Ask, show_with: ShowFactory, hold: HoldFactory
) -> None:
    person_id = uuid4()
    hold(show_with(), buyer_id=person_id)
    hashes = [use.person_hashes.of(each).hex() for each in (person_id, uuid4())]

    answer = ask("remains", personHashes=hashes)

    assert (answer.status_code, answer.json) == (200, {"personIds": [str(person_id)]})


def test_who_did_not_come_back_is_remembered_as_gone(use: Wiring, ask: Ask) -> None:
    person_id = uuid4()
    with use.begin() as tx:
        assert not tx.deletions.is_gone(person_id)

    for _ in range(2):
        ask("remains", personHashes=[use.person_hashes.of(person_id).hex()])

    with use.begin() as tx:
        assert tx.deletions.is_gone(person_id)
    assert ask(f"{uuid4()}/purge", personId=str(person_id)).json["state"] == "PURGED"


@pytest.mark.parametrize(
    "hashes", [None, [], ["ab"], ["g" * 64], ["A" * 64], [1], ["a" * 64] * 1001, "a" * 64]
)
def test_hashes_that_are_none_are_refused(hashes: object, ask: Ask) -> None:
    assert ask("remains", personHashes=hashes).status_code == 422


def test_what_admins_and_creators_are_shown_copes_with_people_who_are_gone(
    use: Wiring,
    client: FlaskClient,
    issuer: TokenIssuer,
    ask: Ask,
    show_with: ShowFactory,
    hold: HoldFactory,
) -> None:
    buyer_id, creator_id, other_id = uuid4(), uuid4(), uuid4()
    of_creator, of_other = show_with(creator_id=creator_id), show_with(creator_id=other_id)
    bookings = [hold(show_id, buyer_id=buyer_id) for show_id in (of_creator, of_other)]
    with use.begin() as tx:
        for booking in bookings:
            confirm_booking(tx, BookingLimits(10, 10), booking_id=booking.id)
            seat = Seat(booking.id, booking.show.id, 1, paid=True)
            tx.admissions.add(seat, Admission(datetime.now(UTC), nonce="scan", by_admin=False))
    for person_id in (buyer_id, creator_id):
        assert ask(f"{uuid4()}/purge", personId=str(person_id)).json["state"] == "PURGED"
    admin, other = issuer.admin(uuid4()), issuer.user(other_id, role="ORGANIZER", approved=True)
    gone = issuer.user(creator_id, role="ORGANIZER", approved=True)

    found = client.get(f"/api/v1/admin/bookings?q={bookings[0].id}", headers=admin)
    assert found.status_code == 200
    (one,) = found.json["bookings"]
    assert (one["buyer"]["name"], one["buyer"]["email"]) == (None, None)

    for show_id, headers in ((of_creator, admin), (of_other, other)):
        path = f"/api/v1/organizer/shows/{show_id}/attendees"
        attendees = client.get(path, headers=headers)
        assert [each["name"] for each in attendees.json["attendees"]] == [None]
        assert client.get(f"{path}?format=csv", headers=headers).status_code == 200

    collections = client.get(f"/api/v1/admin/collections?showId={of_creator}", headers=admin).json
    (show,) = collections["lifetime"]["shows"]
    assert show["creator"] == {"email": None, "organizerProfile": None, "comedianProfile": None}

    assert client.get("/api/v1/organizer/sales", headers=gone).json == {"shows": []}
    assert client.get("/api/v1/organizer/dashboard", headers=gone).json["totalShows"] == 0
    for person_id in (buyer_id, creator_id):
        headers = issuer.service("identity", audience="booking", scope="booking:people:export")
        export = client.get(f"/internal/people/{person_id}/export", headers=headers)
        assert export.status_code == 200
        stored: Any = export.json
        assert not any(stored.values())

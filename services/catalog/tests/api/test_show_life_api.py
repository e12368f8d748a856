"""The life of a show over HTTP, as far as it does not take booking."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from catalog_service.domain.actors import Actor
from catalog_service.domain.edits import Edit
from catalog_service.domain.shows import Show
from catalog_service.usecases.edit_show import edit_show
from catalog_service.usecases.settle_change import settle_change
from catalog_service.wiring import Wiring
from service_kit.openapi import instant
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., Show]
SHOWS = "/api/v1/shows"
SOON = {"X-Request-Timeout": "700"}  # nobody answers for booking here


SOMEBODY = "0199c0de-0000-7000-8000-000000000001"


@pytest.fixture
def owner() -> Actor:
    return Actor(id=uuid4(), role="ORGANIZER", approved=True)


@pytest.fixture
def mine(issuer: TokenIssuer, owner: Actor) -> dict[str, str]:
    return issuer.user(owner.id, role=owner.role, approved=True) | SOON


@pytest.fixture
def admins(issuer: TokenIssuer) -> dict[str, str]:
    return issuer.admin(uuid4()) | SOON


def test_an_edit_answers_with_the_show_as_it_is_now(
    client: FlaskClient, draft: ShowFactory, owner: Actor, mine: dict[str, str]
) -> None:
    show = draft(by=owner, description="Old", poster_image_url="https://images.example/x.webp")
    sent = {
        "title": " Closed Mic ",
        "ticketPrice": 250,
        "totalTickets": 12,
        "description": "",
        "posterImageUrl": None,
        "durationMinutes": 45,
        "city": "Secunderabad",
        "youtubeUrls": ["https://youtu.be/x"],
        "version": 1,
    }

    response = client.put(f"{SHOWS}/{show.id}", json=sent, headers=mine)

    assert response.status_code == 200
    answer = response.get_json()
    assert answer["pendingChange"] is None
    expected = sent | {"title": "Closed Mic", "description": None, "version": 2}
    assert expected.items() <= answer["show"].items()
    assert answer["show"]["venue"] == "Lamakaan"
    assert client.get(f"{SHOWS}/{show.id}", headers=mine).get_json()["show"] == answer["show"]


def test_a_form_that_sends_everything_back_changes_nothing(
    client: FlaskClient, published: ShowFactory, owner: Actor, mine: dict[str, str]
) -> None:
    path = f"{SHOWS}/{published(by=owner).id}"
    before = client.get(path, headers=mine).get_json()["show"]
    editable = (
        "title description date venue city googleMapsLink ticketPrice totalTickets posterImageUrl "
        "durationMinutes youtubeUrls instagramUrls version"
    )
    sent = {name: before[name] for name in editable.split()}

    response = client.put(path, json=sent | {"comedianIds": []}, headers=mine)

    assert response.status_code == 200
    assert response.get_json() == {"show": before, "pendingChange": None}


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"title": None},
        {"date": "2020-01-01T00:00:00Z"},
        {"ticketPrice": 1.5},
        {"ticketPrice": -1},
        {"totalTickets": 0},
        {"totalTickets": 100_001},
        {"durationMinutes": 1441},
        {"googleMapsLink": "https://evil.example"},
        {"instagramUrls": ["https://www.instagram.com/p/x"] * 3},
        {"comedianIds": [SOMEBODY]},
        {"comedianIds": None},
        {"version": "1"},
        {"id": SOMEBODY},
        {"createdBy": SOMEBODY},
        {"customPlatformFee": 0},
        {"isPublished": True},
        {"isDisbursed": True},
        {"status": "PUBLISHED"},
    ],
    ids=str,
)
def test_an_edit_that_breaks_a_rule_names_the_field(
    client: FlaskClient, draft: ShowFactory, owner: Actor, mine: dict[str, str], change: Any
) -> None:
    show = draft(by=owner)

    response = client.put(f"{SHOWS}/{show.id}", json=change, headers=mine)

    problem = response.get_json()
    assert (response.status_code, problem["code"]) == (422, "INVALID_FIELDS")
    assert {name.split(".")[0] for name in problem["errors"]} == set(change)


def test_what_is_fixed_is_named_and_an_admin_changes_it(
    client: FlaskClient,
    published: ShowFactory,
    owner: Actor,
    mine: dict[str, str],
    admins: dict[str, str],
) -> None:
    show = published(by=owner)
    path, sent = f"{SHOWS}/{show.id}", {"title": "Closed Mic", "venue": "The Loft"}

    refused = client.put(path, json=sent, headers=mine)
    accepted = client.put(path, json={"title": "Closed Mic"}, headers=admins)
    moved = client.put(path, json=sent, headers=admins)

    assert (refused.status_code, refused.get_json()["code"]) == (409, "FIXED_ONCE_PUBLISHED")
    assert set(refused.get_json()["errors"]) == {"title", "venue"}
    assert accepted.get_json()["show"]["title"] == "Closed Mic"
    assert moved.status_code == 202
    pending = moved.get_json()["pendingChange"]
    assert (pending["kind"], pending["wish"]) == ("RESCHEDULE", {"venue": "The Loft"})
    assert moved.get_json()["show"]["venue"] == "Lamakaan"


def test_a_wish_says_what_it_would_change(
    client: FlaskClient, use: Wiring, published: ShowFactory, admins: dict[str, str]
) -> None:
    show = published(description="Old")
    later = instant(use.now().replace(microsecond=0))
    sent = {"ticketPrice": 50, "totalTickets": 9, "date": later, "description": None}

    answer = client.put(f"{SHOWS}/{show.id}", json=sent, headers=admins).get_json()

    assert answer["pendingChange"]["wish"] == sent
    (listed,) = client.get(f"{SHOWS}/{show.id}/changes", headers=admins).get_json()["changes"][:1]
    assert listed == answer["pendingChange"]


def test_an_edit_of_an_older_version_is_a_conflict(
    client: FlaskClient, draft: ShowFactory, owner: Actor, mine: dict[str, str]
) -> None:
    path = f"{SHOWS}/{draft(by=owner).id}"
    sent = {"description": "New", "version": 1}

    first = client.put(path, json=sent, headers=mine)
    second = client.put(path, json=sent, headers=mine)

    assert first.status_code == 200
    assert (second.status_code, second.get_json()["code"]) == (409, "SHOW_CHANGED")


def test_the_version_is_for_those_who_may_edit(
    client: FlaskClient, published: ShowFactory, owner: Actor, mine: dict[str, str]
) -> None:
    path = f"{SHOWS}/{published(by=owner).id}"

    assert client.get(path).get_json()["show"]["version"] is None
    assert client.get(path, headers=mine).get_json()["show"]["version"] == 2


@pytest.mark.parametrize(
    "call", ["PUT ", "DELETE ", "POST /unpublish", "POST /publish", "POST /cancel"]
)
def test_an_admin_confirms_before_touching_anothers_show(
    client: FlaskClient, draft: ShowFactory, issuer: TokenIssuer, call: str
) -> None:
    method, action = call.split(" ")
    bodies = {"PUT ": {}, "POST /cancel": {"reason": "Rain"}}
    unconfirmed = issuer.user(uuid4(), role="ADMIN") | SOON
    path = f"{SHOWS}/{draft().id}{action}"

    response = client.open(path, method=method, headers=unconfirmed, json=bodies.get(call))

    assert response.status_code == 403
    assert response.get_json()["code"] == "SECOND_FACTOR_REQUIRED"


def test_an_admins_own_show_needs_no_confirmation(
    client: FlaskClient, draft: ShowFactory, issuer: TokenIssuer
) -> None:
    admin = Actor(id=uuid4(), role="ADMIN", approved=False)
    path = f"{SHOWS}/{draft(by=admin).id}"
    headers = issuer.user(admin.id, role="ADMIN")

    assert client.put(path, json={"title": "Mine"}, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("call", "state", "code"),
    [
        ("POST /unpublish", "draft", "NOT_PUBLISHED"),
        ("POST /publish", "published", "ALREADY_PUBLISHED"),
        ("POST /cancel", "draft", "NOT_PUBLISHED"),
    ],
)
def test_a_step_that_life_does_not_know_is_refused_by_name(
    client: FlaskClient,
    draft: ShowFactory,
    published: ShowFactory,
    admins: dict[str, str],
    call: str,
    state: str,
    code: str,
) -> None:
    show = draft() if state == "draft" else published()
    method, action = call.split(" ")

    response = client.open(
        f"{SHOWS}/{show.id}{action}",
        method=method,
        headers=admins,
        json={"reason": "Rain"} if action == "/cancel" else None,
    )

    assert (response.status_code, response.get_json()["code"]) == (409, code)


@pytest.mark.parametrize("sent", [{}, {"reason": " "}, {"reason": "x" * 1001}, {"reason": 1}])
def test_a_cancellation_has_a_reason(
    client: FlaskClient, published: ShowFactory, owner: Actor, mine: dict[str, str], sent: Any
) -> None:
    response = client.post(f"{SHOWS}/{published(by=owner).id}/cancel", json=sent, headers=mine)

    assert (response.status_code, list(response.get_json()["errors"])) == (422, ["reason"])


def test_a_cancellation_that_is_not_decided_is_202_and_seen(
    client: FlaskClient, published: ShowFactory, owner: Actor, mine: dict[str, str]
) -> None:
    path = f"{SHOWS}/{published(by=owner).id}"

    response = client.post(f"{path}/cancel", json={"reason": "Rain"}, headers=mine)

    assert response.status_code == 202
    pending = response.get_json()["pendingChange"]
    assert (pending["kind"], pending["wish"]) == (
        "CANCEL",
        {"status": "CANCELLED", "reason": "Rain"},
    )
    assert client.get(path).get_json()["show"]["status"] == "PUBLISHED"
    assert client.get(f"{path}/cancellation", headers=mine).status_code == 503


def test_what_has_ended_is_cancelled_by_an_admin_only(
    client: FlaskClient,
    use: Wiring,
    published: ShowFactory,
    owner: Actor,
    mine: dict[str, str],
    admins: dict[str, str],
) -> None:
    show = published(by=owner, duration_minutes=1)
    past = Edit({"starts_at": use.now() - timedelta(hours=1)})
    admin = Actor(id=uuid4(), role="ADMIN", approved=False)
    change = edit_show(
        use.begin, actor=admin, show_id=show.id, edit=past, seen_version=None, now=use.now()
    )
    assert change is not None
    settle_change(use.begin, change_id=change.id, refusal=None)
    path = f"{SHOWS}/{show.id}"

    answers = [
        client.put(path, json={"description": "x"}, headers=mine),
        client.post(f"{path}/cancel", json={"reason": "x"}, headers=mine),
    ]
    by_admin = client.post(f"{path}/cancel", json={"reason": "x"}, headers=admins)

    assert [(it.status_code, it.get_json()["code"]) for it in answers] == [(409, "SHOW_ENDED")] * 2
    assert by_admin.status_code == 202


def test_a_deletion_that_is_not_decided_leaves_the_show(
    client: FlaskClient, draft: ShowFactory, owner: Actor, mine: dict[str, str]
) -> None:
    path = f"{SHOWS}/{draft(by=owner).id}"

    response = client.delete(path, headers=mine)

    assert response.status_code == 202
    answer = response.get_json()
    assert (answer["success"], answer["pendingChange"]["kind"]) == (False, "DELETE")
    assert client.get(path, headers=mine).status_code == 200
    again = client.delete(path, headers=mine)
    assert (again.status_code, again.get_json()["code"]) == (409, "CHANGE_IN_PROGRESS")


@pytest.mark.parametrize(
    "call", ["PUT ", "DELETE ", "POST /cancel", "GET /cancellation", "GET /changes"]
)
def test_anothers_show_and_an_unknown_one_are_the_same_to_whoever_would_change_it(
    client: FlaskClient, published: ShowFactory, mine: dict[str, str], call: str
) -> None:
    method, action = call.split(" ")
    bodies = {"PUT ": {"title": "Mine"}, "POST /cancel": {"reason": "Rain"}}
    answers = []
    for show_id in (published().id, uuid4()):
        response = client.open(
            f"{SHOWS}/{show_id}{action}",
            method=method,
            headers=mine,
            json=bodies.get(call),
        )
        answers.append((response.status_code, response.get_json()["error"]))

    assert answers[0] == answers[1]
    assert answers[0][0] == 404

"""Shows for admins, over HTTP, while neither booking nor identity can be asked."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from catalog_service.domain.actors import Actor
from catalog_service.domain.shows import Show
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., Show]
ADMIN_SHOWS = "/api/v1/admin/shows"


@pytest.fixture
def admins(issuer: TokenIssuer) -> dict[str, str]:
    return issuer.admin(uuid4()) | {"X-Request-Timeout": "700"}


@pytest.fixture
def act(client: FlaskClient, admins: dict[str, str]) -> Callable[..., Any]:
    def post(show: Show, action: str, **more: Any) -> Any:
        sent = {"showId": str(show.id), "action": action, **more}
        return client.post(ADMIN_SHOWS, json=sent, headers=admins)

    return post


def test_everybodys_shows_are_listed_newest_first(
    client: FlaskClient, draft: ShowFactory, published: ShowFactory, admins: dict[str, str]
) -> None:
    made = [str(show.id) for show in (draft(), published(), draft())]

    query: dict[str, Any] = {"limit": 2}
    first = client.get(ADMIN_SHOWS, query_string=query, headers=admins).get_json()
    query["cursor"] = first["nextCursor"]
    second = client.get(ADMIN_SHOWS, query_string=query, headers=admins).get_json()

    shows = [*first["shows"], *second["shows"]]
    assert [show["id"] for show in shows][:3] == made[::-1]
    assert (shows[0]["version"], shows[0]["status"], shows[1]["status"]) == (
        1,
        "DRAFT",
        "PUBLISHED",
    )
    assert shows[0]["creator"].keys() == {"id", "name", "role", "email", "organizerProfile"}
    unknown = {"stats": None, "_count": None, "ticketInventory": None}
    assert unknown.items() <= shows[0].items()


def test_a_drafts_fee_is_set_and_taken_away_at_once(
    draft: ShowFactory, act: Callable[..., Any]
) -> None:
    show = draft()

    fees = [
        act(show, "UPDATE_FEE", customPlatformFee=fee).get_json()["show"]["customPlatformFee"]
        for fee in (8.25, 8.25, 0, 100, None)
    ]

    assert fees == [8.25, 8.25, 0, 100, None]


def test_a_published_shows_fee_is_what_booking_charges(
    published: ShowFactory, act: Callable[..., Any]
) -> None:
    response = act(published(), "UPDATE_FEE", customPlatformFee=5.5)

    answer = response.get_json()
    assert (response.status_code, answer["success"]) == (202, False)
    assert answer["show"]["customPlatformFee"] is None
    assert answer["pendingChange"]["wish"] == {"customPlatformFee": 5.5}


def test_the_owner_is_told_the_fee_and_others_are_not(
    client: FlaskClient, draft: ShowFactory, act: Callable[..., Any], issuer: TokenIssuer
) -> None:
    owner = Actor(id=uuid4(), role="ORGANIZER", approved=True)
    show = draft(by=owner)
    act(show, "UPDATE_FEE", customPlatformFee=5.5)

    mine = client.get(f"/api/v1/shows/{show.id}", headers=issuer.user(owner.id, role=owner.role))

    assert mine.get_json()["show"]["customPlatformFee"] == 5.5


@pytest.mark.parametrize(
    ("action", "state", "code"),
    [
        ("PUBLISH", "published", "ALREADY_PUBLISHED"),
        ("UNPUBLISH", "draft", "NOT_PUBLISHED"),
        ("CANCEL", "draft", "NOT_PUBLISHED"),
    ],
)
def test_admins_are_held_to_the_same_rules(
    draft: ShowFactory,
    published: ShowFactory,
    act: Callable[..., Any],
    action: str,
    state: str,
    code: str,
) -> None:
    response = act(draft() if state == "draft" else published(), action)

    assert (response.status_code, response.get_json()["code"]) == (409, code)


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("PUBLISH", "draft"),
        ("UNPUBLISH", "published"),
        ("DELETE", "draft"),
        ("DELETE", "published"),
        ("CANCEL", "published"),
    ],
)
def test_an_action_is_a_wish_that_booking_decides(
    draft: ShowFactory, published: ShowFactory, act: Callable[..., Any], action: str, state: str
) -> None:
    show = draft() if state == "draft" else published()

    response = act(show, action)

    answer = response.get_json()
    assert (response.status_code, answer["success"]) == (202, False)
    assert answer["pendingChange"]["kind"] == action
    again = act(show, "DELETE")
    assert (again.status_code, again.get_json()["code"]) == (409, "CHANGE_IN_PROGRESS")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"action": "EXPLODE"}, "action"),
        ({"action": "UPDATE_FEE"}, "customPlatformFee"),
        ({"action": "UPDATE_FEE", "customPlatformFee": 101}, "customPlatformFee"),
        ({"action": "UPDATE_FEE", "customPlatformFee": -1}, "customPlatformFee"),
        ({"action": "UPDATE_FEE", "customPlatformFee": 8.255}, "customPlatformFee"),
        ({"action": "UPDATE_FEE", "customPlatformFee": "x"}, "customPlatformFee"),
        ({"action": "PUBLISH", "customPlatformFee": 5}, "customPlatformFee"),
        ({"action": "CANCEL", "reason": ""}, "reason"),
        ({"action": "PUBLISH", "creatorId": "x"}, "creatorId"),
        ({"showId": "x", "action": "PUBLISH"}, "showId"),
    ],
    ids=str,
)
def test_an_action_nobody_understands_is_refused(
    client: FlaskClient, admins: dict[str, str], change: dict[str, Any], field: str
) -> None:
    response = client.post(ADMIN_SHOWS, json={"showId": str(uuid4()), **change}, headers=admins)

    assert (response.status_code, list(response.get_json()["errors"])) == (422, [field])


@pytest.mark.parametrize("action", ["PUBLISH", "UNPUBLISH", "DELETE", "CANCEL"])
def test_an_unknown_show_is_not_found(
    client: FlaskClient, admins: dict[str, str], action: str
) -> None:
    sent = {"showId": str(uuid4()), "action": action}

    assert client.post(ADMIN_SHOWS, json=sent, headers=admins).status_code == 404


@pytest.mark.parametrize(
    ("action", "more"),
    [
        ("SET_DISBURSED", {}),
        ("SET_DISBURSED", {"isDisbursed": None}),
        ("SET_DISBURSED", {"isDisbursed": "yes"}),
        ("PUBLISH", {"isDisbursed": True}),
    ],
)
def test_whether_to_pay_out_is_said_clearly_and_for_that_action_only(
    draft: ShowFactory, act: Callable[..., Any], action: str, more: dict[str, Any]
) -> None:
    response = act(draft(), action, **more)

    assert (response.status_code, response.get_json()["code"]) == (422, "INVALID_FIELDS")


def test_without_booking_nobody_is_paid_out(draft: ShowFactory, act: Callable[..., Any]) -> None:
    show = draft()

    for disbursed in (True, False):
        assert act(show, "SET_DISBURSED", isDisbursed=disbursed).status_code == 503


def test_nobody_is_paid_out_for_a_show_that_does_not_exist(
    client: FlaskClient, issuer: TokenIssuer
) -> None:
    body = {"showId": str(uuid4()), "action": "SET_DISBURSED", "isDisbursed": True}

    response = client.post("/api/v1/admin/shows", json=body, headers=issuer.admin(uuid4()))

    assert response.status_code == 404

"""What identity asks booking when an account is deleted."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from booking_service.domain.bookings import Booking
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


@pytest.mark.parametrize("command", ["fence", "lift"])
@pytest.mark.parametrize("body", [{}, {"personId": "me"}, {"personId": None}, {"person": "x"}])
def test_nobody_is_deleted_by_a_bad_request(
    command: str, body: dict[str, object], ask: Ask
) -> None:
    assert ask(f"{uuid4()}/{command}", **body).status_code == 422
    assert ask(f"me/{command}", personId=str(uuid4())).status_code == 404

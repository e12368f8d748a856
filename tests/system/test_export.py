"""A person's own data, collected from all services through the gateway."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from devstack.stack import Stack
from devstack.visitor import Visitor

VisitorFactory = Callable[..., Visitor]
ShowFactory = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.system

EXPORT = "/api/v1/profile/export"


def exported(visitor: Visitor) -> dict[str, Any]:
    answer = visitor.get(EXPORT)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    told: dict[str, Any] = answer.json()
    assert told.keys() == {"exportedAt", "identity", "catalog", "booking", "config"}
    return told


def test_a_buyer_gets_her_own_bookings_and_nothing_of_anybody_else(
    visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    buyer, other = visitor("audience08@comedy.example"), visitor("audience09@comedy.example")
    wish = {"showId": show_on_sale()["id"], "quantity": 2}
    own = buyer.post("/api/v1/bookings", wish).json()["booking"]
    others = other.post("/api/v1/bookings", wish).json()["booking"]

    told = exported(buyer)

    assert told["identity"]["account"]["email"] == "audience08@comedy.example"
    everything = json.dumps(told)
    assert own["id"] in json.dumps(told["booking"])
    assert others["id"] not in everything
    assert "audience09@comedy.example" not in everything


def test_a_creator_gets_her_shows_as_catalog_and_booking_have_them(
    visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    show = show_on_sale()

    told = exported(visitor("organizer@comedy.example"))

    assert told["identity"]["organizerProfile"]["name"] == "Laughing Buddha Nights"
    assert show["id"] in json.dumps(told["catalog"])
    assert show["id"] in json.dumps(told["booking"])


def test_nobody_who_is_signed_out_gets_an_export(visitor: VisitorFactory) -> None:
    assert visitor().get(EXPORT).status_code == 401


@pytest.mark.parametrize("holder", ["catalog", "booking", "config"])
def test_with_one_service_away_the_answer_is_to_try_again(
    stack: Stack, visitor: VisitorFactory, holder: str
) -> None:
    person = visitor("audience08@comedy.example")

    stack.stop_process(holder)
    try:
        answer = person.get(EXPORT)
    finally:
        stack.start_process(holder)

    assert answer.status_code == 503, answer.text
    assert "try again" in answer.json()["error"]

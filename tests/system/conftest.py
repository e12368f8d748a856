"""People who use the whole system, and their shows."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devstack.stack import Stack
from devstack.testing import eventually
from devstack.visitor import Visitor

ADMIN_PASSWORD = "seven silly llamas"  # the seeded admin's, once a test has chosen it

VisitorFactory = Callable[..., Visitor]
ShowFactory = Callable[..., dict[str, Any]]


@pytest.fixture
def visitor(stack: Stack) -> Iterator[VisitorFactory]:
    """Make visitors; with an e-mail address they are signed in."""
    made: list[Visitor] = []

    def make(email: str | None = None) -> Visitor:
        made.append(Visitor(stack.url))
        if email:
            made[-1].sign_in(email)
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def admin(visitor: VisitorFactory) -> Visitor:
    """The seeded admin, second factor given."""
    person = visitor("admin@comedy.example")
    person.give_second_factor(ADMIN_PASSWORD)
    return person


@pytest.fixture
def draft(visitor: VisitorFactory) -> ShowFactory:
    """Have the seeded organizer write down a show."""

    def make(**changes: Any) -> dict[str, Any]:
        body = {
            "title": "System Test Night",
            "date": (datetime.now(UTC) + timedelta(days=10)).isoformat(),
            "venue": "Heart Cup Coffee, Jubilee Hills",
            "googleMapsLink": "https://maps.google.com/?q=Jubilee+Hills",
            "ticketPrice": 499,
            "totalTickets": 10,
            **changes,
        }
        response = visitor("organizer@comedy.example").post("/api/v1/shows", body)
        assert response.status_code == 201, response.text
        show: dict[str, Any] = response.json()["show"]
        return show

    return make


@pytest.fixture
def show_on_sale(visitor: VisitorFactory, draft: ShowFactory) -> ShowFactory:
    """Have the seeded organizer put a show on sale."""

    def make(**changes: Any) -> dict[str, Any]:
        return published(visitor("organizer@comedy.example"), draft(**changes))

    return make


def published(creator: Visitor, show: dict[str, Any]) -> dict[str, Any]:
    """Have a creator put a show on sale; on a slow machine that takes longer than a request."""
    response = creator.post(f"/api/v1/shows/{show['id']}/publish")
    assert response.status_code in {200, 202}, response.text

    def now() -> dict[str, Any]:
        shown: dict[str, Any] = creator.get(f"/api/v1/shows/{show['id']}").json()["show"]
        return shown

    eventually(lambda: bool(now()["isPublished"]))
    return now()

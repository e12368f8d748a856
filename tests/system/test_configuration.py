"""What an administrator configures, through the gateway, up to what a buyer is told."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.system.conftest import ADMIN_PASSWORD

from devstack.testing import eventually
from devstack.visitor import Visitor

VisitorFactory = Callable[..., Visitor]
ShowFactory = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.system

LIMITS = "/api/v1/admin/config/booking-limits"
FEES = "/api/v1/admin/fees"


@pytest.fixture
def admin(visitor: VisitorFactory, show_on_sale: ShowFactory) -> Iterator[Visitor]:
    """An administrator after whose tests all buyers buy at the limits and fees of before."""
    admin = visitor("admin@comedy.example")
    admin.give_second_factor(ADMIN_PASSWORD)
    limits = admin.get(LIMITS).json()["current"]["value"]
    fees = admin.get(FEES).json()["feeConfig"]
    wish = {"showId": show_on_sale()["id"], "quantity": limits["ticketsPerBooking"]}
    yield admin
    set_limits(admin, **limits)
    version = set_fees(admin, fees["feeSlabs"])
    eventually(lambda: quoted_version(admin, wish) == version)
    time.sleep(1.1)  # each web process of booking keeps what it knows for a second


def quoted_version(buyer: Visitor, wish: dict[str, Any]) -> int | None:
    """Return the version of the fees in a quote, None if the wish is too large."""
    answer = buyer.post("/api/v1/bookings/quote", wish)
    if answer.status_code == 409:
        return None
    assert answer.status_code == 200, answer.text
    return int(answer.json()["quote"]["configurationVersion"])


def set_fees(admin: Visitor, slabs: list[dict[str, Any]]) -> int:
    answer = admin.post(FEES, {"slabs": slabs})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["feeConfig"]["version"])


def set_limits(admin: Visitor, **limits: int) -> None:
    seen = admin.get(LIMITS, headers={"Accept-Encoding": "gzip"}).headers["ETag"]
    answer = admin.send(
        "PUT", LIMITS, json={"value": limits, "reason": "a test"}, headers={"If-Match": seen}
    )
    assert answer.status_code == 200, answer.text


def test_limits_that_an_admin_sets_reach_buyers_within_seconds(
    admin: Visitor, visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    wish = {"showId": show_on_sale(totalTickets=100)["id"], "quantity": 3}
    buyer = visitor("audience@comedy.example")
    assert buyer.post("/api/v1/bookings/quote", wish).status_code == 200

    set_limits(admin, ticketsPerBooking=2, ticketsPerPersonAndShow=4)

    public = visitor().get("/api/v1/config/public").json()
    assert public["bookingLimits"] == {"ticketsPerBooking": 2, "ticketsPerPersonAndShow": 4}
    eventually(
        lambda: buyer.post("/api/v1/bookings", wish).json().get("code") == "BOOKING_TOO_LARGE"
    )


def test_fees_that_an_admin_sets_are_quoted_within_seconds(
    admin: Visitor, visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    wish = {"showId": show_on_sale(ticketPrice=499)["id"], "quantity": 1}
    slabs = [{"minPrice": 0, "maxPrice": 498, "fee": 0.01}, {"minPrice": 499, "fee": 0.0333}]

    version = set_fees(admin, slabs)

    eventually(lambda: quoted_version(admin, wish) == version)
    time.sleep(1.1)  # as above
    quote = visitor().post("/api/v1/bookings/quote", wish).json()["quote"]
    assert quote["convenienceFee"] == 16.62


def test_nobody_else_sees_or_sets_the_configuration(visitor: VisitorFactory) -> None:
    organizer = visitor("organizer@comedy.example")

    assert visitor().get(LIMITS).status_code == 401
    assert organizer.get(LIMITS).status_code == 403
    assert organizer.post(FEES, {"slabs": []}).status_code == 403

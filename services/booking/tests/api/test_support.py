"""What support finds."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from booking_service.domain.bookings import Booking
from booking_service.domain.limits import BookingLimits
from booking_service.usecases.cancel_booking import cancel_booking
from booking_service.usecases.confirm_booking import confirm_booking
from booking_service.wiring import Wiring
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., UUID]
HoldFactory = Callable[..., Booking]
Search = Callable[..., Any]


@pytest.fixture
def search(client: FlaskClient, issuer: TokenIssuer) -> Search:
    headers = issuer.admin(uuid4())

    def find(q: str, **more: str) -> Any:
        query = {"q": q, **more}
        return client.get("/api/v1/admin/bookings", query_string=query, headers=headers)

    return find


def ids(answer: Any) -> list[str]:
    return [booking["id"] for booking in answer.json["bookings"]]


def test_a_booking_is_found_by_what_a_person_knows(
    use: Wiring, search: Search, show_with: ShowFactory, hold: HoldFactory
) -> None:
    name, buyer_id, order_id = uuid4().hex, uuid4(), f"order_{uuid4().hex}"
    show_id = show_with(title=f"50%_{name} Live", price_paise=49_900)
    first, second = hold(show_id, ended=True), hold(show_id, quantity=2, buyer_id=buyer_id)
    with use.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO booking.payment_order"
            " (order_id, booking_id, provider, key_id, amount_paise, currency)"
            " VALUES (%s, %s, 'razorpay', 'key', 1, 'INR')",
            (order_id, second.id),
        )
        connection.exec_driver_sql(
            "INSERT INTO booking.payment (payment_id, order_id, amount_paise, currency, status,"
            " verdict) VALUES (%s, %s, 1, 'INR', 'CAPTURED', 'CONFIRMED')",
            (f"pay_{name}", order_id),
        )
    with use.begin() as tx:
        confirm_booking(tx, BookingLimits(10, 10), booking_id=second.id)
    cancel_booking(use.begin, buyer_id=buyer_id, booking_id=second.id)
    newest_first = [str(second.id), str(first.id)]

    assert ids(search(str(first.id))) == [str(first.id)]
    assert ids(search(str(show_id))) == newest_first
    assert ids(search(f" 50%_{name.upper()} ")) == newest_first
    assert ids(search(f"50__{name}")) == []  # no pattern
    assert ids(search(order_id)) == [str(second.id)]
    (found,) = search(f"pay_{name}").json["bookings"]
    del found["createdAt"], found["show"]["date"]
    assert found == {
        "id": str(second.id),
        "show": {"id": str(show_id), "title": f"50%_{name} Live"},
        "buyer": {"id": str(buyer_id), "email": None, "name": None},  # identity is not there
        "quantity": 2,
        "totalAmount": 998,
        "bookingFee": 89.82,
        "status": "CANCELLED",
        "refunded": 998,
        "paymentIds": [f"pay_{name}"],
    }
    assert search(str(first.id)).json["bookings"][0]["status"] == "FAILED"

    page = search(str(show_id), limit="1")
    assert ids(page) == newest_first[:1]
    rest = search(str(show_id), limit="1", cursor=page.json["nextCursor"])
    assert (ids(rest), rest.json["nextCursor"]) == (newest_first[1:], None)


def test_an_e_mail_is_looked_up_at_identity(search: Search) -> None:
    answer = search("asha@example.org")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


@pytest.mark.parametrize("q", ["", "x" * 321])
def test_something_is_to_be_looked_for(search: Search, q: str) -> None:
    assert search(q).status_code == 422


def test_the_bookings_of_a_person_are_found(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    buyer_id, show_id = uuid4(), show_with()
    hold(show_id)
    booking = hold(show_id, buyer_id=buyer_id)

    with use.read() as tx:
        found = tx.support.search("a@b", buyer_ids=[buyer_id], before=None, limit=10)

    assert [each.id for each in found] == [booking.id]

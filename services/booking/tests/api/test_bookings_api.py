import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from booking_service.wiring import Wiring
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., UUID]


@pytest.fixture
def buyer(issuer: TokenIssuer) -> dict[str, str]:
    return issuer.user(uuid4())


def test_a_booking_shows_what_it_costs(
    client: FlaskClient, buyer: dict[str, str], show_with: ShowFactory
) -> None:
    show_id = show_with(price_paise=49_900, title="Open Mic", venue="Cellar")

    answer = client.post(
        "/api/v1/bookings", json={"showId": str(show_id), "quantity": 2}, headers=buyer
    )

    assert answer.status_code == 201
    booking = answer.json["booking"]
    assert answer.json["success"] is True
    assert booking["totalAmount"] == 998
    assert booking["bookingFee"] == 89.82
    assert booking["platformFee"] == 79.84
    assert booking["status"] == "CONFIRMED_UNPAID"
    assert (booking["expiresAt"], booking["payment"]) == (None, None)
    assert booking["show"]["ticketPrice"] == 499
    assert booking["show"]["date"].endswith("Z")


def test_a_quote_names_the_price_a_booking_then_has(
    client: FlaskClient, buyer: dict[str, str], show_with: ShowFactory
) -> None:
    wish = {"showId": str(show_with(price_paise=29_900)), "quantity": 3}

    quote = client.post("/api/v1/bookings/quote", json=wish).json["quote"]
    booking = client.post(
        "/api/v1/bookings", json={**wish, "expectedTotal": quote["grandTotal"]}, headers=buyer
    ).json["booking"]

    assert booking["totalAmount"] == quote["ticketTotal"]
    assert booking["bookingFee"] == quote["convenienceFee"]
    assert quote["slab"] == {"minPrice": 200, "fee": 0.08}


def test_a_show_that_has_started_has_no_price_any_more(
    client: FlaskClient, show_with: ShowFactory
) -> None:
    started = show_with(starts_at=datetime.now(UTC) - timedelta(minutes=1))

    answer = client.post("/api/v1/bookings/quote", json={"showId": str(started), "quantity": 1})

    assert (answer.status_code, answer.json["code"]) == (409, "SHOW_STARTED")


def test_a_changed_price_is_refused_with_the_new_quote(
    client: FlaskClient, buyer: dict[str, str], show_with: ShowFactory
) -> None:
    wish = {"showId": str(show_with(price_paise=10_000)), "quantity": 1, "expectedTotal": 1.5}

    answer = client.post("/api/v1/bookings", json=wish, headers=buyer)

    assert (answer.status_code, answer.json["code"]) == (409, "PRICE_CHANGED")
    assert answer.json["quote"]["grandTotal"] == 107


def test_sold_out_and_unknown_shows_are_refused_by_name(
    client: FlaskClient, buyer: dict[str, str], show_with: ShowFactory
) -> None:
    def book(show_id: UUID) -> tuple[int, str]:
        answer = client.post(
            "/api/v1/bookings", json={"showId": str(show_id), "quantity": 2}, headers=buyer
        )
        assert answer.mimetype == "application/problem+json"
        assert answer.json["requestId"]
        return answer.status_code, answer.json["code"]

    assert book(show_with(capacity=1)) == (409, "SOLD_OUT")
    assert book(show_with(on_sale=False)) == (409, "SHOW_NOT_ON_SALE")
    assert book(uuid4()) == (404, "SHOW_NOT_FOUND")


BAD_FIELDS = [
    ({"quantity": 0}, "quantity"),
    ({"quantity": -1}, "quantity"),
    ({"quantity": 11}, "quantity"),
    ({"quantity": 1.5}, "quantity"),
    ({"quantity": 2.0}, "quantity"),
    ({"quantity": "2"}, "quantity"),
    ({"quantity": True}, "quantity"),
    ({"quantity": None}, "quantity"),
    ({"quantity": [1]}, "quantity"),
    ({"quantity": 10**30}, "quantity"),
    ({"showId": "not-an-id"}, "showId"),
    ({"showId": None}, "showId"),
    ({"showId": {"id": 1}}, "showId"),
    ({"price": 1}, "price"),
    ({"userId": str(uuid4())}, "userId"),
    ({"status": "CONFIRMED"}, "status"),
    ({"platformFee": 0}, "platformFee"),
    ({"expectedTotal": "108"}, "expectedTotal"),
    ({"expectedTotal": 1.234}, "expectedTotal"),
    ({"expectedTotal": float("1e308")}, "expectedTotal"),
    ({"expectedTotal": float("nan")}, "expectedTotal"),
]


@pytest.mark.parametrize(("change", "field"), BAD_FIELDS)
def test_bad_fields_are_named_and_nothing_is_written(
    client: FlaskClient,
    use: Wiring,
    buyer: dict[str, str],
    show_with: ShowFactory,
    change: dict[str, Any],
    field: str,
) -> None:
    show_id = show_with()
    body = {"showId": str(show_id), "quantity": 1, **change}

    answer = client.post(
        "/api/v1/bookings", json=body, headers={**buyer, "Idempotency-Key": "bad-field"}
    )

    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [field]
    assert nothing_was_written(client, use, buyer, show_id)


@pytest.mark.parametrize("key", ["", "two words", "ü", "x" * 256])
def test_a_key_that_is_none_is_refused(
    client: FlaskClient, use: Wiring, buyer: dict[str, str], show_with: ShowFactory, key: str
) -> None:
    show_id = show_with()
    body = {"showId": str(show_id), "quantity": 1}
    headers = {**buyer, "Idempotency-Key": key}

    assert client.post("/api/v1/bookings", json=body, headers=headers).status_code == 422
    assert nothing_was_written(client, use, buyer, show_id)


@pytest.mark.parametrize(
    ("offer", "code"),
    [
        ({"on_sale": False}, "SHOW_NOT_ON_SALE"),
        ({"starts_at": datetime.now(UTC) - timedelta(minutes=1)}, "SHOW_STARTED"),
        ({"capacity": 0}, "SOLD_OUT"),
    ],
    ids=["draft", "past", "full"],
)
def test_what_cannot_be_booked_now_is_refused_by_name_and_nothing_is_written(
    client: FlaskClient,
    use: Wiring,
    buyer: dict[str, str],
    show_with: ShowFactory,
    offer: dict[str, Any],
    code: str,
) -> None:
    show_id = show_with(**offer)
    body = {"showId": str(show_id), "quantity": 1}

    answer = client.post(
        "/api/v1/bookings", json=body, headers={**buyer, "Idempotency-Key": "refused"}
    )

    assert (answer.status_code, answer.json["code"]) == (409, code)
    assert nothing_was_written(client, use, buyer, show_id)


def nothing_was_written(
    client: FlaskClient, use: Wiring, buyer: dict[str, str], show_id: UUID
) -> bool:
    with use.read() as tx:
        inventory = tx.inventory.of(show_id)
    assert inventory is not None
    with use.engine.connect() as connection:
        written = connection.exec_driver_sql(
            "SELECT (SELECT count(*) FROM booking.booking WHERE show_id = %(show)s)"
            " + (SELECT count(*) FROM booking.buyer_show WHERE show_id = %(show)s)",
            {"show": show_id},
        ).scalar_one()
    listed = client.get("/api/v1/bookings", headers=buyer).json["bookings"]
    return written == 0 and inventory.taken == 0 and listed == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{", "application/json", 400),
        ('{"quantity": 1}', "text/plain", 415),
        ("[]", "application/json", 422),
        ("null", "application/json", 422),
        ('{"showId": "\\u0000", "quantity": 1}', "application/json", 422),
    ],
)
def test_an_unreadable_body_is_refused(
    client: FlaskClient, buyer: dict[str, str], body: str, content_type: str, status: int
) -> None:
    answer = client.post("/api/v1/bookings", data=body, content_type=content_type, headers=buyer)

    assert answer.status_code == status


def test_a_repeated_request_with_a_key_has_the_same_answer(
    client: FlaskClient, buyer: dict[str, str], show_with: ShowFactory
) -> None:
    wish = {"showId": str(show_with()), "quantity": 1}
    headers = {**buyer, "Idempotency-Key": "3b0f"}

    first = client.post("/api/v1/bookings", json=wish, headers=headers)
    again = client.post("/api/v1/bookings", json=wish, headers=headers)
    other = client.post("/api/v1/bookings", json={**wish, "quantity": 2}, headers=headers)

    assert (again.status_code, again.json) == (first.status_code, first.json)
    assert (other.status_code, other.json["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_people_see_their_own_bookings_only(
    client: FlaskClient, issuer: TokenIssuer, show_with: ShowFactory
) -> None:
    mine, theirs = issuer.user(uuid4()), issuer.user(uuid4())
    wish = {"showId": str(show_with()), "quantity": 1}
    ids = [
        client.post("/api/v1/bookings", json=wish, headers=mine).json["booking"]["id"]
        for _ in range(3)
    ]

    listed = client.get("/api/v1/bookings", headers=mine).json["bookings"]
    foreign = client.get(f"/api/v1/bookings/{ids[0]}", headers=theirs)
    unknown = client.get(f"/api/v1/bookings/{uuid4()}", headers=theirs)

    assert [booking["id"] for booking in listed] == ids[::-1]
    assert client.get("/api/v1/bookings", headers=theirs).json["bookings"] == []
    assert (foreign.status_code, foreign.json["error"]) == (404, unknown.json["error"])


def test_a_list_continues_where_its_cursor_says(
    client: FlaskClient, buyer: dict[str, str], show_with: ShowFactory
) -> None:
    wish = {"showId": str(show_with()), "quantity": 1}
    for _ in range(3):
        client.post("/api/v1/bookings", json=wish, headers=buyer)

    first = client.get("/api/v1/bookings?limit=2", headers=buyer).json
    rest = client.get(f"/api/v1/bookings?limit=2&cursor={first['nextCursor']}", headers=buyer).json

    assert [len(first["bookings"]), len(rest["bookings"])] == [2, 1]
    assert rest["nextCursor"] is None
    nested = base64.urlsafe_b64encode(b"[" * 1_500).decode()
    for cursor in ("x", "W10", nested):
        refused = client.get(f"/api/v1/bookings?cursor={cursor}", headers=buyer)
        assert refused.status_code == 422
    assert client.get("/api/v1/bookings?limit=0", headers=buyer).status_code == 422


def test_availability_counts_seats(
    client: FlaskClient, issuer: TokenIssuer, buyer: dict[str, str], show_with: ShowFactory
) -> None:
    show_id = show_with(capacity=10)
    client.post("/api/v1/bookings", json={"showId": str(show_id), "quantity": 3}, headers=buyer)
    catalog = issuer.service("catalog", audience="booking", scope="booking:availability:read")

    answer = client.get(f"/internal/availability?showIds={show_id},{uuid4()}", headers=catalog)

    assert answer.json["shows"] == [
        {
            "showId": str(show_id),
            "available": 7,
            "locked": 0,
            "sold": 3,
            "activeBookings": 1,
            "onSale": True,
        }
    ]


def test_a_booking_is_given_up_and_says_what_is_refunded(
    client: FlaskClient, buyer: dict[str, str], issuer: TokenIssuer, show_with: ShowFactory
) -> None:
    wish = {"showId": str(show_with()), "quantity": 2}
    made = client.post("/api/v1/bookings", json=wish, headers=buyer).json["booking"]
    path = f"/api/v1/bookings/{made['id']}"

    stranger = client.post(f"{path}/cancel", headers=issuer.user(uuid4()))
    answer = client.post(f"{path}/cancel", headers={**buyer, "Idempotency-Key": "give-up"})
    again = client.post(f"{path}/cancel", json={}, headers={**buyer, "Idempotency-Key": "give-up"})

    assert (stranger.status_code, stranger.json["code"]) == (404, "BOOKING_NOT_FOUND")
    assert answer.status_code == again.status_code == 200
    assert (
        answer.json
        == again.json
        == {
            "success": True,
            "booking": {**made, "status": "CANCELLED", "refunds": []},
        }
    )
    shown = client.get(path, headers=buyer).json["booking"]
    assert [ticket["status"] for ticket in shown.pop("tickets")] == ["CANCELLED"] * 2
    assert shown == answer.json["booking"]
    assert client.post(f"{path}/cancel", json={"refund": 1}, headers=buyer).status_code == 422


def test_a_key_for_giving_up_one_booking_is_refused_for_another(
    client: FlaskClient, buyer: dict[str, str], show_with: ShowFactory
) -> None:
    wish = {"showId": str(show_with()), "quantity": 1}
    paths = [
        f"/api/v1/bookings/{made.json['booking']['id']}"
        for made in (client.post("/api/v1/bookings", json=wish, headers=buyer) for _ in range(2))
    ]
    headers = {**buyer, "Idempotency-Key": "one-key"}

    assert client.post(f"{paths[0]}/cancel", headers=headers).status_code == 200
    refused = client.post(f"{paths[1]}/cancel", headers=headers)

    assert (refused.status_code, refused.json["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert client.get(paths[1], headers=buyer).json["booking"]["status"] == "CONFIRMED_UNPAID"

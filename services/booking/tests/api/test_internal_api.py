"""What the other services ask of booking."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., UUID]
Answer = tuple[int, dict[str, Any]]
Call = Callable[..., Answer]


@pytest.fixture
def catalog(client: FlaskClient, issuer: TokenIssuer) -> Call:
    scopes = (
        "booking:offers:write booking:availability:read booking:sales:read"
        " booking:disbursements:write"
    )
    return _calls(client, issuer.service("catalog", audience="booking", scope=scopes))


@pytest.fixture
def identity(client: FlaskClient, issuer: TokenIssuer) -> Call:
    scope = "booking:standing:write"
    return _calls(client, issuer.service("identity", audience="booking", scope=scope))


@pytest.fixture
def buyer(client: FlaskClient, issuer: TokenIssuer) -> Call:
    return _calls(client, issuer.user(uuid4()))


def _calls(client: FlaskClient, headers: dict[str, str]) -> Call:
    def call(method: str, path: str, body: Any = None) -> Answer:
        answer = client.open(path, method=method, json=body, headers=headers)
        return answer.status_code, answer.json or {}

    return call


def offer(**changes: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "creatorId": None,
        "title": "Open Mic",
        "venue": "Cellar",
        "city": "Hyderabad",
        "posterImageUrl": None,
        "startsAt": (datetime.now(UTC) + timedelta(days=3)).isoformat(),
        "durationMinutes": 60,
        "capacity": 10,
        "pricePaise": 49_900,
        "platformFeeBasisPoints": None,
        "onSale": True,
        **changes,
    }


def book(buyer: Call, show_id: UUID, quantity: int = 1) -> Answer:
    return buyer("POST", "/api/v1/bookings", {"showId": str(show_id), "quantity": quantity})


def test_a_change_for_shows_without_bookings_is_refused_once_one_is_sold(
    catalog: Call, buyer: Call
) -> None:
    show_id, said = uuid4(), offer()
    path = f"/internal/offers/{show_id}"
    assert catalog("PUT", path, said) == (200, {"applied": True, "version": 1})
    unpublished = {**said, "version": 2, "onSale": False, "unsoldOnly": True}
    assert catalog("PUT", path, unpublished) == (200, {"applied": True, "version": 2})
    catalog("PUT", path, {**said, "version": 3})
    book(buyer, show_id)

    status, refused = catalog("PUT", path, {**said, "version": 4, "unsoldOnly": True})

    assert (status, refused["code"]) == (409, "HAS_ACTIVE_BOOKINGS")
    assert catalog("PUT", path, {**said, "version": 4}) == (200, {"applied": True, "version": 4})


def test_nothing_is_sold_at_terms_that_identity_could_not_be_asked_for(
    catalog: Call, buyer: Call
) -> None:
    show_id = uuid4()

    said = offer(creatorId=str(uuid4()))  # in these tests, nobody is where identity should be
    status, refused = catalog("PUT", f"/internal/offers/{show_id}", said)

    assert (status, refused["status"]) == (503, 503)
    assert book(buyer, show_id)[0] == 404


@pytest.mark.parametrize(
    "change",
    [
        {"capacity": 10**30},
        {"version": 2**63},
        {"durationMinutes": 0},
        {"pricePaise": -1},
        {"capacity": 1.5},
        {"unsoldOnly": "perhaps"},
        {"title": "\0"},
        {"surprise": 1},
    ],
)
def test_an_offer_nobody_could_store_is_refused(catalog: Call, change: dict[str, Any]) -> None:
    status, refused = catalog("PUT", f"/internal/offers/{uuid4()}", offer(**change))

    assert status == 422
    assert list(refused["errors"]) == list(change)


def test_a_deleted_show_does_not_come_back_with_late_news(catalog: Call, buyer: Call) -> None:
    show_id, said = uuid4(), offer()
    path = f"/internal/offers/{show_id}"
    catalog("PUT", path, {**said, "version": 2})

    assert catalog("DELETE", f"{path}?version=1") == (200, {"applied": False, "version": 2})
    assert catalog("DELETE", f"{path}?version=3") == (200, {"applied": True, "version": 3})
    assert catalog("DELETE", f"{path}?version=3") == (200, {"applied": True, "version": 3})
    assert catalog("PUT", path, {**said, "version": 2}) == (200, {"applied": False, "version": 3})

    assert book(buyer, show_id)[0] == 404


def test_a_show_that_is_deleted_before_it_is_known_stays_unknown(catalog: Call) -> None:
    path = f"/internal/offers/{uuid4()}"

    assert catalog("DELETE", f"{path}?version=5") == (200, {"applied": True, "version": 5})
    assert catalog("PUT", path, offer(version=4)) == (200, {"applied": False, "version": 5})
    assert catalog("DELETE", path)[0] == 422


def test_a_cancelled_show_that_nobody_booked_can_be_deleted(
    catalog: Call, show_with: ShowFactory
) -> None:
    path = f"/internal/offers/{show_with()}"
    said = {"version": 2, "reason": "Nobody came", "actorId": str(uuid4())}
    catalog("POST", f"{path}/cancellation", said)

    assert catalog("DELETE", f"{path}?version=3") == (200, {"applied": True, "version": 3})
    assert catalog("GET", f"{path}/cancellation")[0] == 404


def test_a_show_that_was_booked_cannot_be_deleted(
    catalog: Call, buyer: Call, show_with: ShowFactory
) -> None:
    show_id = show_with()
    book(buyer, show_id)

    status, refused = catalog("DELETE", f"/internal/offers/{show_id}?version=9")

    assert (status, refused["code"]) == (409, "HAS_BOOKINGS")
    assert book(buyer, show_id)[0] == 201


def test_sales_count_confirmed_bookings(catalog: Call, buyer: Call, show_with: ShowFactory) -> None:
    sold, unsold = show_with(price_paise=10_000), show_with()
    book(buyer, sold, 2)
    book(buyer, sold, 3)

    status, answer = catalog("GET", f"/internal/sales?showIds={sold},{unsold},{uuid4()}")

    assert status == 200
    assert sorted(answer["shows"], key=lambda show: -show["ticketsSold"]) == [
        {
            "showId": str(show_id),
            "ticketsSold": tickets,
            "revenuePaise": paise,
            "bookings": bookings,
            "disbursed": False,
        }
        for show_id, tickets, paise, bookings in ((sold, 5, 50_000, 2), (unsold, 0, 0, 0))
    ]


def test_a_standing_is_taken_over_in_the_order_of_its_versions(
    identity: Call, catalog: Call, buyer: Call, show_with: ShowFactory
) -> None:
    creator_id = uuid4()
    show_id = show_with(creator_id=creator_id)
    path = f"/internal/creators/{creator_id}/standing"

    assert identity("PUT", path, {"allowed": False, "version": 7}) == (
        200,
        {"applied": True, "version": 7},
    )
    assert identity("PUT", path, {"allowed": True, "version": 6})[1]["applied"] is False
    assert identity("PUT", path, {"allowed": True, "version": 7})[1]["applied"] is False
    assert identity("PUT", path, {"allowed": False, "version": 7})[1]["applied"] is True

    status, refused = book(buyer, show_id)
    assert (status, refused["code"]) == (409, "SHOW_NOT_ON_SALE")
    [seats] = catalog("GET", f"/internal/availability?showIds={show_id}")[1]["shows"]
    assert (seats["available"], seats["onSale"]) == (100, False)


@pytest.mark.parametrize(
    "body",
    [
        {"allowed": "perhaps", "version": 1},
        {"allowed": None, "version": 1},
        {"allowed": True, "version": 0},
        {"allowed": True, "version": 2**63},
        {"allowed": True},
    ],
)
def test_a_standing_that_cannot_be_read_is_refused(identity: Call, body: dict[str, Any]) -> None:
    assert identity("PUT", f"/internal/creators/{uuid4()}/standing", body)[0] == 422


def test_a_cancelled_show_is_never_sold_again(
    catalog: Call, buyer: Call, show_with: ShowFactory
) -> None:
    show_id = show_with(version=3)
    book(buyer, show_id)
    path = f"/internal/offers/{show_id}"
    said = {"version": 4, "reason": "The comedian is ill", "actorId": str(uuid4())}

    assert catalog("GET", f"{path}/cancellation")[1]["code"] == "CANCELLATION_NOT_FOUND"
    older = catalog("POST", f"{path}/cancellation", {**said, "version": 2})
    assert older == (200, {"applied": False, "version": 3})
    for version in (4, 9):
        again = catalog("POST", f"{path}/cancellation", {**said, "version": version})
        assert again == (200, {"applied": True, "version": 4})

    status, progress = catalog("GET", f"{path}/cancellation")
    assert (status, progress["state"], progress["reason"]) == (200, "RUNNING", said["reason"])
    assert (progress["total"], progress["cancelled"], progress["completedAt"]) == (1, 0, None)
    assert book(buyer, show_id)[1]["code"] == "SHOW_NOT_ON_SALE"
    status, refused = catalog("PUT", path, offer(version=5))
    assert (status, refused["code"]) == (409, "SHOW_CANCELLED")
    assert catalog("PUT", path, offer(version=5, capacity=100, onSale=False))[0] == 200


def test_an_unknown_show_cannot_be_cancelled(catalog: Call) -> None:
    said = {"version": 4, "reason": "The comedian is ill", "actorId": str(uuid4())}

    status, refused = catalog("POST", f"/internal/offers/{uuid4()}/cancellation", said)

    assert (status, refused["code"]) == (404, "SHOW_NOT_FOUND")


@pytest.mark.parametrize(
    "change", [{"reason": ""}, {"reason": "\0"}, {"reason": "x" * 1001}, {"version": 0}]
)
def test_a_cancellation_that_cannot_be_stored_is_refused(
    catalog: Call, show_with: ShowFactory, change: dict[str, Any]
) -> None:
    body = {"version": 4, "reason": "Ill", "actorId": str(uuid4()), **change}

    status, refused = catalog("POST", f"/internal/offers/{show_with()}/cancellation", body)

    assert status == 422
    assert list(refused["errors"]) == list(change)


def test_a_show_that_has_ended_is_paid_out_once(catalog: Call, show_with: ShowFactory) -> None:
    show_id = show_with(starts_at=datetime.now(UTC) - timedelta(minutes=59), duration_minutes=60)
    path, body = f"/internal/offers/{show_id}/disbursement", {"actorId": str(uuid4())}
    status, problem = catalog("POST", path, body)
    assert (status, problem["code"]) == (409, "SHOW_NOT_ENDED")

    show_id = show_with(starts_at=datetime.now(UTC) - timedelta(minutes=61), duration_minutes=60)
    path = f"/internal/offers/{show_id}/disbursement"
    status, paid = catalog("POST", path, body)
    assert (status, set(paid), paid["amountPaise"]) == (200, {"amountPaise", "disbursedAt"}, 0)
    status, problem = catalog("POST", path, body)
    assert (status, problem["code"]) == (409, "ALREADY_DISBURSED")
    assert catalog("GET", f"/internal/sales?showIds={show_id}")[1]["shows"][0]["disbursed"] is True
    assert catalog("POST", f"/internal/offers/{uuid4()}/disbursement", body)[0] == 404

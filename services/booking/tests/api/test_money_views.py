"""What organizers and admins see of the money."""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, text

from booking_service.domain.bookings import Booking
from booking_service.domain.limits import BookingLimits
from booking_service.usecases.cancel_booking import cancel_booking
from booking_service.usecases.confirm_booking import confirm_booking
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.wiring import Wiring
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., UUID]
HoldFactory = Callable[..., Booking]
Get = Callable[[str], Any]

SALES = "/api/v1/organizer/sales"
COLLECTIONS = "/api/v1/admin/collections"


@pytest.fixture
def creator_id() -> UUID:
    return uuid4()


@pytest.fixture
def organizer(client: FlaskClient, issuer: TokenIssuer, creator_id: UUID) -> Get:
    headers = issuer.user(creator_id, role="ORGANIZER", approved=True)
    return lambda path: client.get(path, headers=headers)


@pytest.fixture
def admin(client: FlaskClient, issuer: TokenIssuer) -> Get:
    headers = issuer.admin(uuid4())
    return lambda path: client.get(path, headers=headers)


def book(use: Wiring, show_id: UUID, quantity: int) -> Booking:
    return reserve_tickets(
        use.box_office, use.fees, use.rules, show_id=show_id, buyer_id=uuid4(), quantity=quantity
    )


def pay(use: Wiring, booking: Booking) -> None:
    with use.begin() as tx:
        confirm_booking(tx, BookingLimits(10, 10), booking_id=booking.id)


def end(use: Wiring, show_id: UUID) -> None:
    with use.read() as tx:
        show = tx.inventory.of(show_id)
    assert show is not None
    past = datetime.now(UTC) - timedelta(days=1)
    put_offer(use.begin, offer=replace(show.offer, version=9, starts_at=past))


@contextmanager
def statements(use: Wiring) -> Iterator[list[str]]:
    """Collect what is sent to the database."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        sent.append(statement)

    event.listen(use.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(use.engine, "before_cursor_execute", note)


def test_sales_count_what_is_confirmed_paid_or_not(
    use: Wiring, organizer: Get, show_with: ShowFactory, hold: HoldFactory, creator_id: UUID
) -> None:
    starts_at = datetime.now(UTC) + timedelta(days=3)
    draft_id = show_with(creator_id=creator_id, on_sale=False, starts_at=starts_at)
    show_id = show_with(creator_id=creator_id, price_paise=49_900, capacity=50)
    show_with()  # somebody else's
    book(use, show_id, 3)
    pay(use, hold(show_id, quantity=2))
    hold(show_id, quantity=4)
    hold(show_id, quantity=1, ended=True)

    with statements(use) as sent:
        shows = organizer(SALES).json["shows"]

    assert [show["showId"] for show in shows] == [str(draft_id), str(show_id)]  # by date
    assert (shows[0]["isPublished"], shows[0]["ticketsSold"], shows[0]["totalRevenue"]) == (
        False,
        0,
        0,
    )
    del shows[1]["date"]
    assert shows[1] == {
        "showId": str(show_id),
        "title": "Open Mic",
        "venue": "The Comedy Cellar",
        "isPublished": True,
        "totalTickets": 50,
        "ticketsSold": 5,
        "ticketsRemaining": 45,
        "ticketPrice": 499,
        "totalRevenue": 2495,
        "bookingCount": 2,
    }
    assert len(sent) == 1

    dashboard = organizer("/api/v1/organizer/dashboard").json
    assert [show["showId"] for show in dashboard.pop("upcomingShowsList")] == [str(show_id)]
    assert dashboard == {
        "totalShows": 2,
        "upcomingShows": 1,
        "ticketsSold": 5,
        "totalRevenue": 2495,
    }
    table = organizer("/api/v1/organizer/dashboard?format=csv")
    assert table.mimetype == "text/csv"
    (row,) = csv.DictReader(io.StringIO(table.text, newline=""))
    assert row == {name: str(figure) for name, figure in dashboard.items()}


@pytest.mark.parametrize("first", "=+-@\t")
def test_a_spreadsheet_runs_nothing_of_a_csv(
    organizer: Get, show_with: ShowFactory, creator_id: UUID, first: str
) -> None:
    title = f'{first}HYPERLINK("http://evil.example";"x"),\ny'
    show_with(creator_id=creator_id, title=title, venue="A, B")

    answer = organizer(f"{SALES}?format=csv")

    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert (row["title"], row["venue"], row["ticketPrice"]) == (f"'{title}", "A, B", "499")
    assert organizer(f"{SALES}?format=xml").status_code == 422


@pytest.mark.parametrize("path", [SALES, "/api/v1/organizer/dashboard"])
def test_who_is_not_approved_sees_sold_shows_only(
    use: Wiring,
    client: FlaskClient,
    issuer: TokenIssuer,
    show_with: ShowFactory,
    creator_id: UUID,
    path: str,
) -> None:
    headers = issuer.user(creator_id, role="COMEDIAN", approved=False)
    unsold_id, sold_id = (show_with(creator_id=creator_id) for _ in range(2))
    refused = client.get(path, headers=headers)
    assert (refused.status_code, (refused.json or {})["code"]) == (403, "NOT_APPROVED")

    book(use, sold_id, 1)

    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    if path == SALES:
        assert str(sold_id) in answer.text
        assert str(unsold_id) not in answer.text


def test_the_creator_and_admins_see_who_will_come(
    use: Wiring,
    organizer: Get,
    admin: Get,
    show_with: ShowFactory,
    hold: HoldFactory,
    creator_id: UUID,
    client: FlaskClient,
    issuer: TokenIssuer,
) -> None:
    show_id = show_with(creator_id=creator_id)
    bookings = [book(use, show_id, quantity) for quantity in (1, 2)]
    hold(show_id, quantity=4)
    path = f"/api/v1/organizer/shows/{show_id}/attendees"

    with use.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO booking.admission (booking_id, seat, nonce, by_admin, admitted_at)"
                " VALUES (:id, 2, 'n', false, now())"
            ),
            {"id": bookings[1].id},
        )

    first = organizer(f"{path}?limit=1").json
    second = organizer(f"{path}?limit=1&cursor={first['nextCursor']}").json
    assert [
        (each["bookingId"], each["quantity"], each["admitted"], each["status"])
        for each in first["attendees"] + second["attendees"]
    ] == [
        (str(bookings[0].id), 1, 0, "CONFIRMED_UNPAID"),
        (str(bookings[1].id), 2, 1, "CONFIRMED_UNPAID"),
    ]
    assert second["nextCursor"] is None
    assert first["attendees"][0]["name"] is None  # identity is not there

    rows = list(csv.DictReader(io.StringIO(admin(f"{path}?format=csv&limit=1").text)))
    assert [row["bookingId"] for row in rows] == [str(each.id) for each in bookings]

    for role, status in (("ADMIN", 403), ("ORGANIZER", 404), ("AUDIENCE", 404)):
        headers = issuer.user(uuid4(), role=role, approved=True)
        assert client.get(path, headers=headers).status_code == status
    assert admin(f"/api/v1/organizer/shows/{uuid4()}/attendees").status_code == 404


def test_collections_add_shows_up_in_groups(
    use: Wiring, admin: Get, show_with: ShowFactory, hold: HoldFactory
) -> None:
    active, draft, running, ended = (
        show_with(price_paise=49_900),
        show_with(on_sale=False),
        show_with(starts_at=datetime.now(UTC) - timedelta(minutes=5)),
        show_with(price_paise=49_900),
    )
    never_sold = show_with(on_sale=False, starts_at=datetime.now(UTC) - timedelta(days=2))
    pay(use, hold(ended, quantity=2))
    book(use, ended, 1)
    book(use, active, 3)
    end(use, ended)
    expected = {
        active: {"lifetime", "active"},
        draft: {"lifetime", "unpublished"},
        running: {"lifetime", "active"},
        ended: {"lifetime", "pending"},
        never_sold: {"lifetime", "unpublished"},
    }

    with statements(use) as sent:
        collections = admin(COLLECTIONS).json

    assert len(sent) == 1
    for show_id, groups in expected.items():
        assert {
            name
            for name, group in collections.items()
            if str(show_id) in {show["id"] for show in group["shows"]}
        } == groups
    for group in collections.values():
        for figure in ("showRevenue", "bookingFee", "platformFee", "showEarnings"):
            of_shows = sum(round(show["stats"][figure] * 100) for show in group["shows"])
            assert round(group[figure] * 100) == of_shows

    one = admin(f"{COLLECTIONS}?showId={ended}").json
    pending = one["pending"]
    assert one["active"] == {**dict.fromkeys(pending.keys() - {"shows"}, 0), "shows": []}
    (show,) = pending.pop("shows")
    assert pending == {
        "showRevenue": 1497,
        "bookingFee": 134.73,
        "platformFee": 119.76,
        "platformRevenue": 1631.73,
        "platformEarnings": 254.49,
        "showEarnings": 1377.24,
    }
    assert show.pop("stats") == {**pending, "ticketsSold": 3}
    assert show["payable"] == 918.16  # of what was captured
    assert show["creator"] == {"email": None, "organizerProfile": None, "comedianProfile": None}


def test_a_payout_whose_answer_was_lost_is_asked_for_again_with_its_key(
    use: Wiring,
    client: FlaskClient,
    issuer: TokenIssuer,
    show_with: ShowFactory,
    hold: HoldFactory,
) -> None:
    shows = [show_with(price_paise=49_900) for _ in range(2)]
    for show_id in shows:
        pay(use, hold(show_id, quantity=2))
    headers = issuer.admin(uuid4()) | {"Idempotency-Key": "payout-of-May"}

    def disburse(show_id: UUID, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        body = {"showId": str(show_id), "action": "DISBURSE"}
        answer = client.post(COLLECTIONS, json=body, headers=headers)
        return answer.status_code, answer.json or {}

    assert disburse(shows[0], headers)[1]["code"] == "SHOW_NOT_ENDED"  # which stores nothing
    for show_id in shows:
        end(use, show_id)
    first = disburse(shows[0], headers)

    assert first[0] == 200
    assert disburse(shows[0], headers) == first
    assert disburse(shows[1], headers)[1]["code"] == "IDEMPOTENCY_KEY_REUSED"
    of_another = issuer.admin(uuid4()) | {"Idempotency-Key": "payout-of-May"}
    assert disburse(shows[0], of_another)[1]["code"] == "ALREADY_DISBURSED"
    assert disburse(shows[1], of_another)[0] == 200
    with use.read() as tx:
        assert [each.disbursed for each in tx.bookings.sales(shows)] == [True, True]


def test_an_admin_pays_a_show_out_once(
    use: Wiring,
    client: FlaskClient,
    issuer: TokenIssuer,
    admin: Get,
    show_with: ShowFactory,
    hold: HoldFactory,
) -> None:
    show_id = show_with(price_paise=49_900)
    pay(use, hold(show_id, quantity=2))
    body = {"showId": str(show_id), "action": "DISBURSE"}

    def disburse(headers: dict[str, str], **changes: str) -> tuple[int, dict[str, Any]]:
        answer = client.post(COLLECTIONS, json={**body, **changes}, headers=headers)
        return answer.status_code, answer.json or {}

    who = uuid4()
    headers = issuer.admin(who)
    assert disburse(headers)[1]["code"] == "SHOW_NOT_ENDED"
    end(use, show_id)
    without_factor = issuer.user(uuid4(), role="ADMIN")
    assert disburse(without_factor)[1]["code"] == "SECOND_FACTOR_REQUIRED"
    assert disburse(headers, action="REVERSE")[0] == 422
    status, paid = disburse(headers)
    assert (status, paid["success"], paid["amount"]) == (200, True, 918.16)
    status, refused = disburse(headers)
    assert (status, refused["code"]) == (409, "ALREADY_DISBURSED")

    assert disburse(headers | {"Idempotency-Key": "a-late-one"})[1]["code"] == "ALREADY_DISBURSED"

    one = admin(f"{COLLECTIONS}?showId={show_id}").json
    assert one["pending"]["shows"] == []
    (show,) = one["booked"]["shows"]
    assert (show["isDisbursed"], show["disbursedAmount"], show["payable"]) == (True, 918.16, 0)
    assert show["disbursedAt"] == paid["disbursedAt"]
    assert show["disbursedBy"] == {"id": str(who), "email": None}  # identity is not there


def test_the_platform_at_a_glance(use: Wiring, admin: Get, show_with: ShowFactory) -> None:
    before = admin("/api/v1/admin/stats").json
    show_id = show_with(price_paise=49_900)
    show_with(on_sale=False)
    end(use, show_with())
    book(use, show_id, 2)

    after = admin("/api/v1/admin/stats").json

    assert after["activeShows"] - before["activeShows"] == 1
    assert round(after["totalRevenue"] - before["totalRevenue"], 2) == 998
    assert [after[key] for key in ("totalUsers", "newUsersToday", "pendingApprovals")] == [None] * 3


def test_revenue_is_what_was_paid_also_if_the_price_has_changed_since(
    use: Wiring, admin: Get, show_with: ShowFactory, hold: HoldFactory
) -> None:
    def revenue() -> float:
        total: float = admin("/api/v1/admin/stats").json["totalRevenue"]
        return round(total - before, 2)

    before = 0.0
    before = revenue()
    show_id, buyer_id = show_with(price_paise=49_900), uuid4()
    late = hold(show_id, quantity=2, buyer_id=buyer_id, ended=True)
    with use.read() as tx:
        show = tx.inventory.of(show_id)
    assert show is not None
    put_offer(use.begin, offer=replace(show.offer, version=2, price_paise=60_000))

    pay(use, late)
    assert revenue() == 998
    book(use, show_id, 1)
    assert revenue() == 1598
    cancel_booking(use.begin, buyer_id=buyer_id, booking_id=late.id)
    assert revenue() == 600

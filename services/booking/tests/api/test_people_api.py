"""What identity collects for a person's export."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from booking_service import models
from booking_service.api.people import PersonExportResponse
from booking_service.domain.bookings import Booking
from booking_service.domain.cancellations import CancellationOrder
from booking_service.domain.creators import Standing
from booking_service.domain.ticket_codes import Seat
from booking_service.domain.tickets import Admission
from booking_service.usecases.cancel_booking import cancel_booking
from booking_service.usecases.cancel_show import cancel_show
from booking_service.usecases.confirm_booking import confirm_booking
from booking_service.usecases.set_standing import set_standing
from booking_service.wiring import Wiring
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., UUID]
HoldFactory = Callable[..., Booking]


@pytest.fixture
def export(client: FlaskClient, issuer: TokenIssuer) -> Callable[[UUID], Any]:
    headers = issuer.service("identity", audience="booking", scope="booking:people:export")

    def ask(person_id: UUID) -> Any:
        answer = client.get(f"/internal/people/{person_id}/export", headers=headers)
        assert answer.status_code == 200
        return answer.json

    return ask


def test_everything_about_a_person_and_nothing_about_others_is_given(
    use: Wiring,
    client: FlaskClient,
    issuer: TokenIssuer,
    show_with: ShowFactory,
    hold: HoldFactory,
    export: Callable[[UUID], Any],
) -> None:
    person_id, other_id = uuid4(), uuid4()
    show_id, own_show_id = show_with(), show_with(creator_id=person_id)
    hold(show_id, buyer_id=other_id)
    hold(own_show_id, buyer_id=other_id)
    booking = hold(show_id, buyer_id=person_id, quantity=2)
    with use.begin() as tx:
        confirm_booking(tx, use.rules.current().limits, booking_id=booking.id)
    cancel_booking(use.begin, buyer_id=person_id, booking_id=booking.id)
    kept = client.post(
        "/api/v1/bookings",
        json={"showId": str(show_id), "quantity": 1},
        headers={**issuer.user(person_id), "Idempotency-Key": "my-key"},
    ).json["booking"]["id"]
    admission = Admission(datetime.now(UTC), nonce="scan", by_admin=False)
    with use.begin() as tx:
        tx.admissions.add(Seat(UUID(kept), show_id, 1, paid=False), admission)
    set_standing(use.begin, creator_id=person_id, said=Standing(allowed=True, version=1))
    order = CancellationOrder(own_show_id, version=2, reason="Ill", actor_id=person_id)
    cancel_show(use.begin, order=order)

    stored = export(person_id)

    assert [each["quantity"] for each in stored["bookings"]] == [2, 1]
    assert stored["bookings"][0]["refundPolicy"]["tiers"]
    moves = [(each["fromStatus"], each["toStatus"]) for each in stored["bookingMoves"]]
    assert moves == [("PENDING", "CONFIRMED"), ("CONFIRMED", "CANCELLED")]
    assert [each["status"] for each in stored["refunds"]] == ["DUE"]
    assert [(each["bookingId"], each["seat"]) for each in stored["admissions"]] == [(kept, 1)]
    assert stored["ticketsPerShow"] == [{"showId": str(show_id), "active": 1}]
    assert [each["key"] for each in stored["idempotencyKeys"]] == ["my-key"]
    assert [each["showId"] for each in stored["shows"]] == [str(own_show_id)]
    assert [each["allowed"] for each in stored["standingAsCreator"]] == [True]
    assert [each["reason"] for each in stored["cancelledShows"]] == ["Ill"]
    assert str(other_id) not in str(stored)
    assert [each["quantity"] for each in export(other_id)["bookings"]] == [1, 1]


def test_nothing_is_stored_about_a_stranger(export: Callable[[UUID], Any]) -> None:
    stored = export(uuid4())

    assert set(stored) == {
        "bookings",
        "bookingMoves",
        "admissions",
        "refunds",
        "paymentOrders",
        "payments",
        "paymentNews",
        "ticketsPerShow",
        "idempotencyKeys",
        "shows",
        "standingAsCreator",
        "termsAsCreator",
        "ledgerEntries",
        "cancelledShows",
    }
    assert not any(stored.values())


NOT_ABOUT_A_PERSON = {
    "booking": {"user_id", "retain_until"},  # whose export it is; of nobody who can ask
    "booking_move": {"id"},
    "payment_order": {"key_id", "check_at"},  # the merchant's, and when the provider is asked next
    "payment_news": {"id", "digest"},
    "ledger_entry": {"id"},
    "buyer_show": {"user_id"},
    "idempotency_key": {"user_id", "fingerprint", "facts"},  # the facts are the booking's
    "ticket_inventory": {
        "creator_id",
        "available",  # with locked and sold: what others bought
        "locked",
        "sold",
        "creator_allowed",  # copies of standing and terms
        "creator_fee_basis_points",
    },
    "creator_standing": {"creator_id"},
    "creator_terms": {"creator_id"},
    "show_cancellation": {"actor_id", "version", "total"},
}
SECTIONS = {
    "bookings": models.BookingRow,
    "booking_moves": models.BookingMoveRow,
    "admissions": models.AdmissionRow,
    "refunds": models.RefundRow,
    "payment_orders": models.PaymentOrderRow,
    "payments": models.PaymentRow,
    "payment_news": models.PaymentNewsRow,
    "tickets_per_show": models.BuyerShowRow,
    "idempotency_keys": models.IdempotencyKeyRow,
    "shows": models.TicketInventoryRow,
    "standing_as_creator": models.CreatorStandingRow,
    "terms_as_creator": models.CreatorTermsRow,
    "ledger_entries": models.LedgerEntryRow,
    "cancelled_shows": models.ShowCancellationRow,
}


@pytest.mark.parametrize("section", SECTIONS)
def test_a_column_is_given_or_said_to_be_about_nobody(section: str) -> None:
    table: Any = SECTIONS[section].__table__
    schema: Any = PersonExportResponse().fields[section]
    given = set(schema.inner.schema.fields)

    columns = {column.name for column in table.columns}
    assert given == columns - NOT_ABOUT_A_PERSON.get(table.name, set())


def test_a_table_is_given_or_said_to_be_about_nobody() -> None:
    about_nobody = {
        "fee_schedule",
        "platform_settings",
        "deleted_offer",
        "ticket_key",
        "ledger_person",
        "account_deletion",
        "notice",
        "notice_scan",
        "rate_count",
    }
    tables: Any = models.Base.metadata.tables.values()

    given: Any = [row.__table__ for row in SECTIONS.values()]
    assert {table.name for table in tables} == about_nobody | {table.name for table in given}

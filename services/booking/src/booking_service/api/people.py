"""Routes: GET /internal/people/{id}/export."""

from typing import Any
from uuid import UUID

from marshmallow import fields

from booking_service.api.rules import PEOPLE_EXPORTERS
from booking_service.api.wired import wired
from booking_service.domain.bookings import BookingStatus
from booking_service.domain.payments import PaymentStatus, Verdict
from booking_service.domain.refunds import RefundReason, RefundStatus
from booking_service.domain.settlement import LedgerKind
from service_kit.access import allow
from service_kit.openapi import Instant, Schema
from service_kit.routes import Blueprint

blp = Blueprint("people", __name__, description="What is stored about a person")


class StoredBookingSchema(Schema):
    id = fields.UUID(required=True)
    show_id = fields.UUID(required=True)
    quantity = fields.Integer(required=True)
    unit_price_paise = fields.Integer(required=True)
    ticket_total_paise = fields.Integer(required=True)
    convenience_fee_basis_points = fields.Integer(required=True)
    convenience_fee_paise = fields.Integer(required=True)
    platform_fee_basis_points = fields.Integer(required=True)
    platform_fee_paise = fields.Integer(required=True)
    fee_schedule_version = fields.Integer(required=True)
    settings_version = fields.Integer(required=True, allow_none=True)
    refund_policy = fields.Dict(required=True, allow_none=True)
    status = fields.Enum(BookingStatus, by_value=True, required=True)
    expires_at = Instant(required=True, allow_none=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


class StoredMoveSchema(Schema):
    booking_id = fields.UUID(required=True)
    from_status = fields.Enum(BookingStatus, by_value=True, required=True)
    to_status = fields.Enum(BookingStatus, by_value=True, required=True)
    moved_at = Instant(required=True)


class StoredAdmissionSchema(Schema):
    booking_id = fields.UUID(required=True)
    seat = fields.Integer(required=True)
    nonce = fields.String(required=True)
    by_admin = fields.Boolean(required=True)
    admitted_at = Instant(required=True)


class StoredRefundSchema(Schema):
    id = fields.UUID(required=True)
    booking_id = fields.UUID(required=True)
    reason = fields.Enum(RefundReason, by_value=True, required=True)
    ticket_paise = fields.Integer(required=True)
    convenience_fee_paise = fields.Integer(required=True)
    status = fields.Enum(RefundStatus, by_value=True, required=True)
    payment_id = fields.String(required=True, allow_none=True)
    attempt = fields.Integer(required=True)
    provider_refund_id = fields.String(required=True, allow_none=True)
    failure = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


class StoredOrderSchema(Schema):
    order_id = fields.String(required=True)
    booking_id = fields.UUID(required=True)
    provider = fields.String(required=True)
    amount_paise = fields.Integer(required=True)
    currency = fields.String(required=True)
    created_at = Instant(required=True)


class StoredPaymentSchema(Schema):
    payment_id = fields.String(required=True)
    order_id = fields.String(required=True)
    amount_paise = fields.Integer(required=True)
    currency = fields.String(required=True)
    status = fields.Enum(PaymentStatus, by_value=True, required=True)
    verdict = fields.Enum(Verdict, by_value=True, required=True, allow_none=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


class StoredNewsSchema(Schema):
    event = fields.String(required=True)
    order_id = fields.String(required=True, allow_none=True)
    payment_id = fields.String(required=True, allow_none=True)
    received_at = Instant(required=True)
    handled_at = Instant(required=True, allow_none=True)


class StoredTicketsSchema(Schema):
    show_id = fields.UUID(required=True)
    active = fields.Integer(required=True)


class StoredKeySchema(Schema):
    operation = fields.String(required=True)
    key = fields.String(required=True)
    created_at = Instant(required=True)


class StoredShowSchema(Schema):
    show_id = fields.UUID(required=True)
    title = fields.String(required=True)
    venue = fields.String(required=True)
    city = fields.String(required=True)
    poster_image_url = fields.String(required=True, allow_none=True)
    starts_at = Instant(required=True)
    duration_minutes = fields.Integer(required=True)
    capacity = fields.Integer(required=True)
    price_paise = fields.Integer(required=True)
    platform_fee_basis_points = fields.Integer(required=True, allow_none=True)
    on_sale = fields.Boolean(required=True)
    version = fields.Integer(required=True)
    moved_at = Instant(required=True, allow_none=True)
    cancelled_at = Instant(required=True, allow_none=True)
    updated_at = Instant(required=True)


class StoredStandingSchema(Schema):
    allowed = fields.Boolean(required=True)
    version = fields.Integer(required=True)
    updated_at = Instant(required=True)


class StoredTermsSchema(Schema):
    platform_fee_basis_points = fields.Integer(required=True, allow_none=True)
    confirmed_at = Instant(required=True)


class StoredCancellationSchema(Schema):
    show_id = fields.UUID(required=True)
    reason = fields.String(required=True)
    started_at = Instant(required=True)
    completed_at = Instant(required=True, allow_none=True)


class StoredEntrySchema(Schema):
    show_id = fields.UUID(required=True)
    booking_id = fields.UUID(required=True, allow_none=True)
    kind = fields.Enum(LedgerKind, by_value=True, required=True)
    ticket_paise = fields.Integer(required=True)
    convenience_fee_paise = fields.Integer(required=True)
    platform_fee_paise = fields.Integer(required=True)
    paid_out_paise = fields.Integer(required=True)
    actor = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "the random name of whoever paid a creator out"},
    )
    created_at = Instant(required=True)


class PersonExportResponse(Schema):
    bookings = fields.List(fields.Nested(StoredBookingSchema), required=True)
    booking_moves = fields.List(fields.Nested(StoredMoveSchema), required=True)
    admissions = fields.List(fields.Nested(StoredAdmissionSchema), required=True)
    refunds = fields.List(fields.Nested(StoredRefundSchema), required=True)
    payment_orders = fields.List(fields.Nested(StoredOrderSchema), required=True)
    payments = fields.List(fields.Nested(StoredPaymentSchema), required=True)
    payment_news = fields.List(fields.Nested(StoredNewsSchema), required=True)
    tickets_per_show = fields.List(fields.Nested(StoredTicketsSchema), required=True)
    idempotency_keys = fields.List(fields.Nested(StoredKeySchema), required=True)
    shows = fields.List(fields.Nested(StoredShowSchema), required=True)
    standing_as_creator = fields.List(fields.Nested(StoredStandingSchema), required=True)
    terms_as_creator = fields.List(fields.Nested(StoredTermsSchema), required=True)
    ledger_entries = fields.List(fields.Nested(StoredEntrySchema), required=True)
    cancelled_shows = fields.List(fields.Nested(StoredCancellationSchema), required=True)


@blp.get("/internal/people/<uuid:person_id>/export")
@allow(PEOPLE_EXPORTERS)
@blp.response(200, PersonExportResponse)
def get_person_export(person_id: UUID) -> dict[str, Any]:
    """Give identity what is stored about a person: bookings, requests, and own shows' sales"""
    with wired().read() as tx:
        return dict(tx.people.stored_about(person_id))

"""Routes: POST, GET /api/v1/bookings · GET /api/v1/bookings/{id} · POST …/{id}/cancel."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from booking_service.api.idempotency import IdempotencyHeader, key_of
from booking_service.api.orders import read_order
from booking_service.api.quotes import QuoteRequest
from booking_service.api.tickets import TicketSchema, with_codes
from booking_service.api.wired import wired
from booking_service.domain.bookings import Booking, BookingStatus
from booking_service.domain.errors import BookingNotFound
from booking_service.domain.refunds import RefundStatus
from booking_service.usecases.cancel_booking import cancel_booking
from booking_service.usecases.open_payment import open_payment
from booking_service.usecases.reserve_tickets import reserve_tickets
from service_kit.access import SIGNED_IN, allow, current_caller
from service_kit.encoding import encoder
from service_kit.openapi import Instant, Rupees, Schema
from service_kit.pagination import PageArguments, decode_cursor, page_of
from service_kit.routes import Blueprint

blp = Blueprint("bookings", __name__, description="Buying tickets")


class BookingRequest(QuoteRequest):
    expected_total = Rupees(
        load_default=None,
        allow_none=True,
        metadata={"description": "rupees, convenience fee included"},
    )


class BookedShowSchema(Schema):
    id = fields.UUID(required=True)
    title = fields.String(required=True)
    date = Instant(required=True, attribute="starts_at")
    venue = fields.String(required=True)
    ticket_price = Rupees(required=True, attribute="price_paise")
    poster_image_url = fields.String(required=True, allow_none=True)


class PaymentSchema(Schema):
    provider = fields.String(required=True)
    key_id = fields.String(required=True)
    order_id = fields.String(required=True, attribute="id")
    amount = fields.Integer(
        required=True,
        attribute="amount_paise",
        metadata={"description": "in paise, as the checkout takes it"},
    )
    currency = fields.String(required=True)


class BookingSchema(Schema):
    id = fields.UUID(required=True)
    show = fields.Nested(BookedShowSchema, required=True)
    quantity = fields.Integer(required=True)
    total_amount = Rupees(
        required=True, attribute="ticket_total_paise", metadata={"description": "tickets only"}
    )
    booking_fee = Rupees(
        required=True,
        attribute="convenience_fee_paise",
        metadata={"description": "paid by the buyer on top"},
    )
    platform_fee = Rupees(
        required=True,
        attribute="platform_fee_paise",
        metadata={"description": "taken from the creator's share"},
    )
    status = fields.Enum(BookingStatus, by_value=True, required=True)
    created_at = Instant(required=True)
    expires_at = Instant(required=True, allow_none=True)
    payment = fields.Nested(
        PaymentSchema,
        required=True,
        allow_none=True,
        metadata={"description": "what the provider's checkout needs; null: not paid online"},
    )


class RefundSchema(Schema):
    amount = Rupees(required=True, attribute="amount_paise")
    status = fields.Enum(RefundStatus, by_value=True, required=True)


class BookingWithRefundsSchema(BookingSchema):
    refunds = fields.List(fields.Nested(RefundSchema), required=True)


class BookingWithTicketsSchema(BookingWithRefundsSchema):
    tickets = fields.List(fields.Nested(TicketSchema), required=True)


class BookingMadeResponse(Schema):
    booking = fields.Nested(BookingSchema, required=True)
    success = fields.Boolean(required=True)


class BookingResponse(Schema):
    booking = fields.Nested(BookingWithTicketsSchema, required=True)


class BookingCancelledResponse(Schema):
    booking = fields.Nested(BookingWithRefundsSchema, required=True)
    success = fields.Boolean(required=True)


class NothingRequest(Schema):
    pass


class BookingsQuery(PageArguments):
    show_id = fields.UUID(load_default=None)


class BookingsResponse(Schema):
    bookings = fields.List(fields.Nested(BookingSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


_encode_booking_made = encoder(BookingMadeResponse())


def straight(route: Callable[[], Response]) -> Callable[[], Response]:
    """Serve an order that is plainly well-formed at once; the schemas read, or refuse, the rest."""

    @wraps(route)
    def serve() -> Response:
        order = read_order()
        return route() if order is None else _book(*order)

    return serve


@blp.post("/api/v1/bookings")
@allow(SIGNED_IN)
@straight
@blp.arguments(BookingRequest)
@blp.arguments(IdempotencyHeader, location="headers")
@blp.response(201, BookingMadeResponse)
@blp.alt_response(404, description="`SHOW_NOT_FOUND`")
@blp.alt_response(
    409,
    description="`SHOW_NOT_ON_SALE`, `SHOW_STARTED`, `SOLD_OUT`, `TICKET_LIMIT_REACHED`, "
    "`TOO_MANY_HELD`, `BOOKING_TOO_LARGE`, `PRICE_CHANGED` with the new `quote`, `ACCOUNT_CLOSED`, "
    "`IN_FLIGHT`",
)
@blp.alt_response(422, description="invalid fields, or `IDEMPOTENCY_KEY_REUSED`")
@blp.alt_response(503, description="`PAYMENTS_UNAVAILABLE`: nothing was booked, `BUSY`")
def post_booking(body: dict[str, Any], headers: dict[str, Any]) -> Response:
    """Book tickets for the caller"""
    return _book(body, headers["idempotency_key"])


def _book(body: dict[str, Any], idempotency_key: str | None) -> Response:
    use = wired()
    key = key_of(idempotency_key, body)
    booking = reserve_tickets(
        use.box_office,
        use.fees,
        use.rules,
        show_id=body["show_id"],
        buyer_id=current_caller().id,
        quantity=body["quantity"],
        expected_total_paise=body["expected_total"],
        key=key,
        payments=use.payments,
    )
    if booking.status is BookingStatus.PENDING:
        booking = replace(booking, payment=open_payment(use.desk, booking=booking, key=key))
    made = _encode_booking_made({"success": True, "booking": booking})
    return Response(made, HTTPStatus.CREATED, mimetype="application/json")


@blp.get("/api/v1/bookings")
@allow(SIGNED_IN)
@blp.arguments(BookingsQuery, location="query", as_kwargs=True)
@blp.response(200, BookingsResponse)
def get_bookings(show_id: UUID | None, limit: int, cursor: str | None) -> dict[str, Any]:
    """List the caller's bookings, newest first"""
    before = None if cursor is None else decode_cursor(cursor, UUID)[0]
    with wired().read() as tx:
        found = tx.bookings.of_buyer(
            current_caller().id, show_id=show_id, before=before, limit=limit + 1
        )
    page = page_of(found, limit=limit, key=lambda booking: [str(booking.id)])
    return {"bookings": page.items, "next_cursor": page.next_cursor}


@blp.get("/api/v1/bookings/<uuid:booking_id>")
@allow(SIGNED_IN)
@blp.response(200, BookingResponse)
@blp.alt_response(404, description="`BOOKING_NOT_FOUND`: unknown, or someone else's")
def get_booking(booking_id: UUID) -> dict[str, Booking]:
    """Show one of the caller's bookings"""
    return {"booking": own_booking(booking_id)}


def own_booking(booking_id: UUID) -> Booking:
    """Return a booking of the caller's with its refunds.

    Raises:
        BookingNotFound: the caller has no such booking.
    """
    with wired().read() as tx:
        booking = tx.bookings.one_of_buyer(current_caller().id, booking_id)
        refunds = tx.refunds.of_booking(booking_id)
        admitted = tx.admissions.of_booking(booking_id)
    if booking is None:
        raise BookingNotFound("You have no booking with this id.")
    tickets = with_codes(booking, admitted)
    return replace(booking, refunds=tuple(refunds), tickets=tickets)


@blp.post("/api/v1/bookings/<uuid:booking_id>/cancel")
@allow(SIGNED_IN)
@blp.arguments(NothingRequest)
@blp.arguments(IdempotencyHeader, location="headers")
@blp.response(200, BookingCancelledResponse)
@blp.alt_response(404, description="`BOOKING_NOT_FOUND`: unknown, or someone else's")
@blp.alt_response(409, description="`SHOW_STARTED`, `TICKET_USED`, `IN_FLIGHT`, `ACCOUNT_CLOSED`")
@blp.alt_response(422, description="`IDEMPOTENCY_KEY_REUSED`")
def post_cancellation(
    _body: dict[str, Any], headers: dict[str, Any], booking_id: UUID
) -> dict[str, Any]:
    """Give a booking up; one that is over already is answered as it is"""
    booking = cancel_booking(
        wired().begin,
        buyer_id=current_caller().id,
        booking_id=booking_id,
        key=key_of(headers["idempotency_key"], {"booking_id": booking_id}),
    )
    return {"success": True, "booking": booking}

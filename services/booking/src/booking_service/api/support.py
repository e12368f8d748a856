"""Routes: GET /api/v1/admin/bookings."""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from booking_service.api.peers import if_it_answers
from booking_service.api.rules import ADMIN
from booking_service.api.wired import wired
from booking_service.clients.people import Contact
from booking_service.domain.bookings import BookingStatus
from booking_service.domain.support import FoundBooking
from service_kit.access import allow
from service_kit.openapi import Instant, Rupees, Schema
from service_kit.pagination import PageArguments, decode_cursor, page_of
from service_kit.routes import Blueprint

blp = Blueprint("support", __name__, description="Bookings of anybody, for support")

MAX_WANTED = 320


class SearchArguments(PageArguments):
    q = fields.String(
        required=True,
        validate=validate.Length(1, MAX_WANTED),
        metadata={
            "description": "id of a booking, show, payment or order; part of a title; an e-mail"
        },
    )


class BuyerSchema(Schema):
    id = fields.UUID(required=True)
    email = fields.String(
        required=True, allow_none=True, metadata={"description": "null while it cannot be had"}
    )
    name = fields.String(required=True, allow_none=True)


class FoundShowSchema(Schema):
    id = fields.UUID(required=True)
    title = fields.String(required=True)
    date = Instant(required=True)


class FoundBookingSchema(Schema):
    id = fields.UUID(required=True)
    show = fields.Nested(FoundShowSchema, required=True)
    buyer = fields.Nested(BuyerSchema, required=True)
    quantity = fields.Integer(required=True)
    total_amount = Rupees(required=True, metadata={"description": "tickets only"})
    booking_fee = Rupees(required=True)
    status = fields.Enum(BookingStatus, by_value=True, required=True)
    created_at = Instant(required=True)
    refunded = Rupees(required=True, metadata={"description": "owed or arrived"})
    payment_ids = fields.List(fields.String(), required=True)


class FoundBookingsResponse(Schema):
    bookings = fields.List(fields.Nested(FoundBookingSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blp.get("/api/v1/admin/bookings")
@allow(ADMIN)
@blp.arguments(SearchArguments, location="query", as_kwargs=True)
@blp.response(200, FoundBookingsResponse)
@blp.alt_response(503, description="an e-mail can be looked up while identity answers only")
def get_found_bookings(q: str, limit: int, cursor: str | None) -> dict[str, Any]:
    """Look bookings up, newest first"""
    wanted, use = q.strip(), wired()
    before = None if cursor is None else decode_cursor(cursor, UUID)[0]
    buyers = use.people.with_email(wanted) if "@" in wanted else []
    with use.read() as tx:
        found = tx.support.search(wanted, buyer_ids=buyers, before=before, limit=limit + 1)
    page = page_of(found, limit=limit, key=lambda booking: [str(booking.id)])
    people = {booking.buyer_id for booking in page.items}
    contacts = if_it_answers(lambda: use.people.contacts(people)) or {}
    return {
        "bookings": [_found(each, contacts.get(each.buyer_id)) for each in page.items],
        "next_cursor": page.next_cursor,
    }


def _found(booking: FoundBooking, buyer: Contact | None) -> dict[str, Any]:
    return {
        "id": booking.id,
        "show": {
            "id": booking.show_id,
            "title": booking.show_title,
            "date": booking.starts_at,
        },
        "buyer": {
            "id": booking.buyer_id,
            "email": buyer and buyer.email,
            "name": buyer and buyer.name,
        },
        "quantity": booking.quantity,
        "total_amount": booking.ticket_total_paise,
        "booking_fee": booking.convenience_fee_paise,
        "status": booking.status,
        "created_at": booking.created_at,
        "refunded": booking.refunded_paise,
        "payment_ids": booking.payment_ids,
    }

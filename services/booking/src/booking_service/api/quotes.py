"""Routes: POST /api/v1/bookings/quote."""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from booking_service.api.wired import wired
from booking_service.domain.limits import MAX_TICKETS_PER_BOOKING
from booking_service.domain.pricing import BASIS_POINTS, Quote
from booking_service.usecases.quote_tickets import quote_tickets
from service_kit.access import EVERYONE, allow
from service_kit.openapi import Rupees, Schema
from service_kit.rate_limits import READS, limited
from service_kit.routes import Blueprint

blp = Blueprint("quotes", __name__, description="Prices before buying")


class QuoteRequest(Schema):
    show_id = fields.UUID(required=True)
    quantity = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, MAX_TICKETS_PER_BOOKING)
    )


class QuoteSlabSchema(Schema):
    min_price = fields.Integer(required=True, metadata={"description": "whole rupees"})
    fee = fields.Float(required=True, metadata={"description": "share of the ticket price"})


class QuoteSchema(Schema):
    quantity = fields.Integer(required=True)
    ticket_price = Rupees(required=True)
    ticket_total = Rupees(required=True)
    convenience_fee = Rupees(required=True)
    slab = fields.Nested(QuoteSlabSchema, required=True)
    grand_total = Rupees(required=True)
    configuration_version = fields.Integer(required=True)


class QuoteResponse(Schema):
    quote = fields.Nested(QuoteSchema, required=True)


@blp.post("/api/v1/bookings/quote")
@allow(EVERYONE)
@limited(READS)  # nothing is written; a page asks at every change of the number
@blp.arguments(QuoteRequest, as_kwargs=True)
@blp.response(200, QuoteResponse)
@blp.alt_response(404, description="`SHOW_NOT_FOUND`")
@blp.alt_response(409, description="`SHOW_NOT_ON_SALE`, `SHOW_STARTED`, `BOOKING_TOO_LARGE`")
def post_quote(show_id: UUID, quantity: int) -> dict[str, Any]:
    """Name the price of some tickets; nothing is set aside"""
    use = wired()
    lines = quote_tickets(use.read, use.fees, use.rules, show_id=show_id, quantity=quantity)
    return {"quote": wire_quote(lines)}


def wire_quote(quote: Quote) -> dict[str, Any]:
    """Return a quote's lines as `QuoteSchema` takes them."""
    return {
        "quantity": quote.quantity,
        "ticket_price": quote.unit_price_paise,
        "ticket_total": quote.ticket_total_paise,
        "convenience_fee": quote.convenience_fee_paise,
        "slab": {
            "min_price": quote.slab.from_rupees,
            "fee": quote.slab.basis_points / BASIS_POINTS,
        },
        "grand_total": quote.grand_total_paise,
        "configuration_version": quote.fee_schedule_version,
    }

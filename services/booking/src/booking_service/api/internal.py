"""Routes for other services: PUT /internal/offers/{id} · GET /internal/availability."""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate
from webargs.fields import DelimitedList

from booking_service.api.rules import AVAILABILITY_READERS, OFFER_WRITERS
from booking_service.api.wired import wired
from booking_service.domain.offers import Offer
from booking_service.usecases.put_offer import put_offer
from service_kit.access import allow
from service_kit.openapi import Instant, Schema
from service_kit.pagination import MAX_LIMIT
from service_kit.routes import Blueprint

blp = Blueprint("internal", __name__, description="For the other services")


class OfferRequest(Schema):
    version = fields.Integer(required=True, strict=True, validate=validate.Range(1))
    creator_id = fields.UUID(required=True, allow_none=True)
    title = fields.String(required=True)
    venue = fields.String(required=True)
    city = fields.String(required=True)
    poster_image_url = fields.String(required=True, allow_none=True)
    starts_at = Instant(required=True)
    duration_minutes = fields.Integer(required=True, strict=True, validate=validate.Range(1))
    capacity = fields.Integer(required=True, strict=True, validate=validate.Range(0))
    price_paise = fields.Integer(required=True, strict=True, validate=validate.Range(0))
    platform_fee_basis_points = fields.Integer(
        required=True, strict=True, allow_none=True, validate=validate.Range(0, 10_000)
    )
    on_sale = fields.Boolean(required=True)


class OfferResponse(Schema):
    applied = fields.Boolean(required=True)
    version = fields.Integer(required=True, metadata={"description": "the version stored now"})


class AvailabilityQuery(Schema):
    show_ids = DelimitedList(fields.UUID(), required=True, validate=validate.Length(1, MAX_LIMIT))


class AvailabilitySchema(Schema):
    show_id = fields.UUID(required=True)
    available = fields.Integer(required=True)
    locked = fields.Integer(required=True)
    sold = fields.Integer(required=True)
    active_bookings = fields.Integer(required=True)
    on_sale = fields.Boolean(required=True)


class AvailabilityResponse(Schema):
    shows = fields.List(fields.Nested(AvailabilitySchema), required=True)


@blp.put("/internal/offers/<uuid:show_id>")
@allow(OFFER_WRITERS)
@blp.arguments(OfferRequest)
@blp.response(200, OfferResponse)
@blp.alt_response(
    409, description="`CAPACITY_BELOW_SOLD`, `HAS_ACTIVE_BOOKINGS`, `VERSION_CONFLICT`"
)
def put_show_offer(body: dict[str, Any], show_id: UUID) -> dict[str, Any]:
    """Take over what catalog says of a show"""
    stored = put_offer(wired().begin, offer=Offer(show_id=show_id, **body))
    return {"applied": stored == body["version"], "version": stored}


@blp.get("/internal/availability")
@allow(AVAILABILITY_READERS)
@blp.arguments(AvailabilityQuery, location="query", as_kwargs=True)
@blp.response(200, AvailabilityResponse)
def get_availability(show_ids: list[UUID]) -> dict[str, Any]:
    """Count the seats of some shows"""
    with wired().read() as tx:
        inventories = tx.inventory.of_shows(show_ids)
        bookings = tx.bookings.count_active(show_ids)
    return {
        "shows": [
            {
                "show_id": inventory.offer.show_id,
                "available": inventory.available,
                "locked": inventory.locked,
                "sold": inventory.sold,
                "active_bookings": bookings.get(inventory.offer.show_id, 0),
                "on_sale": inventory.offer.on_sale,
            }
            for inventory in inventories
        ]
    }

"""Routes for other services.

GET /internal/offers · PUT, DELETE /internal/offers/{id} ·
POST, GET /internal/offers/{id}/cancellation · POST /internal/offers/{id}/disbursement ·
PUT /internal/creators/{id}/standing · GET /internal/availability, /internal/sales
"""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate
from webargs.fields import DelimitedList

from booking_service.api.rules import (
    AVAILABILITY_READERS,
    DISBURSERS,
    OFFER_WRITERS,
    SALES_READERS,
    STANDING_WRITERS,
)
from booking_service.api.wired import wired
from booking_service.domain.cancellations import (
    Cancellation,
    CancellationOrder,
    CancellationState,
)
from booking_service.domain.creators import Standing
from booking_service.domain.errors import CancellationNotFound
from booking_service.domain.offers import Inventory, Offer, OfferVersion
from booking_service.domain.settlement import Disbursement
from booking_service.usecases.cancel_show import cancel_show
from booking_service.usecases.delete_offer import delete_offer
from booking_service.usecases.disburse import disburse
from booking_service.usecases.learn_terms import learn_terms
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.set_standing import set_standing
from service_kit.access import allow
from service_kit.openapi import Flag, Instant, Schema
from service_kit.pagination import MAX_LIMIT, Page, PageArguments, decode_cursor, page_of
from service_kit.routes import Blueprint

MAX_INTEGER = 2**63 - 1
MAX_REASON = 1000

blp = Blueprint("internal", __name__, description="For the other services")


def _whole(*, at_least: int) -> fields.Integer:
    return fields.Integer(
        required=True, strict=True, validate=validate.Range(at_least, MAX_INTEGER)
    )


class OfferRequest(Schema):
    version = _whole(at_least=1)
    creator_id = fields.UUID(required=True, allow_none=True)
    title = fields.String(required=True)
    venue = fields.String(required=True)
    city = fields.String(required=True)
    poster_image_url = fields.String(required=True, allow_none=True)
    starts_at = Instant(required=True)
    duration_minutes = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, MAX_INTEGER)
    )
    capacity = _whole(at_least=0)
    price_paise = fields.Integer(
        required=True, strict=True, validate=validate.Range(0, MAX_INTEGER)
    )
    platform_fee_basis_points = fields.Integer(
        required=True, strict=True, allow_none=True, validate=validate.Range(0, 10_000)
    )
    on_sale = Flag(required=True)
    unsold_only = Flag(
        load_default=False,
        metadata={"description": "refuse it if tickets are held or sold"},
    )


class DeletedOfferQuery(Schema):
    version = fields.Integer(required=True, validate=validate.Range(1, MAX_INTEGER))


class CancellationRequest(Schema):
    version = _whole(at_least=1)
    reason = fields.String(required=True, validate=validate.Length(1, MAX_REASON))
    actor_id = fields.UUID(required=True)


class CancellationSchema(Schema):
    state = fields.Enum(
        CancellationState,
        by_value=True,
        required=True,
        metadata={"description": "of the bookings; their refunds may take longer"},
    )
    reason = fields.String(required=True)
    total = fields.Integer(required=True, metadata={"description": "bookings with seats then"})
    cancelled = fields.Integer(required=True)
    refunded = fields.Integer(required=True, metadata={"description": "refunds that arrived"})
    failed = fields.Integer(required=True, metadata={"description": "refunds that did not"})
    started_at = Instant(required=True)
    completed_at = Instant(required=True, allow_none=True)


class StandingRequest(Schema):
    allowed = Flag(required=True)
    version = _whole(at_least=1)


class OfferSchema(Schema):
    show_id = fields.UUID(required=True)
    version = fields.Integer(required=True)


class OffersResponse(Schema):
    offers = fields.List(fields.Nested(OfferSchema), required=True, attribute="items")
    next_cursor = fields.String(required=True, allow_none=True)


class AppliedResponse(Schema):
    applied = fields.Boolean(required=True)
    version = fields.Integer(required=True, metadata={"description": "the version stored now"})


class ShowsQuery(Schema):
    show_ids = DelimitedList(fields.UUID(), required=True, validate=validate.Length(1, MAX_LIMIT))


class AvailabilitySchema(Schema):
    show_id = fields.UUID(required=True)
    available = fields.Integer(required=True)
    locked = fields.Integer(required=True)
    sold = fields.Integer(required=True)
    active_bookings = fields.Integer(required=True)
    on_sale = fields.Boolean(
        required=True, metadata={"description": "the offer is open and its creator is allowed"}
    )


class AvailabilityResponse(Schema):
    shows = fields.List(fields.Nested(AvailabilitySchema), required=True)


class SalesSchema(Schema):
    show_id = fields.UUID(required=True)
    tickets_sold = fields.Integer(required=True, attribute="tickets")
    revenue_paise = fields.Integer(required=True, metadata={"description": "tickets only"})
    bookings = fields.Integer(required=True)
    disbursed = fields.Boolean(required=True, metadata={"description": "the creator was paid out"})


class DisbursementRequest(Schema):
    actor_id = fields.UUID(required=True)


class DisbursementSchema(Schema):
    amount_paise = fields.Integer(required=True)
    disbursed_at = Instant(required=True)


class SalesResponse(Schema):
    shows = fields.List(fields.Nested(SalesSchema), required=True)


@blp.get("/internal/offers")
@allow(OFFER_WRITERS)
@blp.arguments(PageArguments, location="query", as_kwargs=True)
@blp.response(200, OffersResponse)
def get_offers(limit: int, cursor: str | None) -> Page[OfferVersion]:
    """List the offers of creators, for catalog to compare with its shows"""
    after = None if cursor is None else decode_cursor(cursor, UUID)[0]
    with wired().read() as tx:
        offers = tx.inventory.versions(after=after, limit=limit + 1)
    return page_of(offers, limit=limit, key=lambda offer: [str(offer.show_id)])


@blp.put("/internal/offers/<uuid:show_id>")
@allow(OFFER_WRITERS)
@blp.arguments(OfferRequest)
@blp.response(200, AppliedResponse)
@blp.alt_response(
    409,
    description="`CAPACITY_BELOW_SOLD`, `HAS_ACTIVE_BOOKINGS`, `SHOW_CANCELLED`, "
    "`VERSION_CONFLICT`",
)
@blp.alt_response(503, description="a creator nothing is known of, and identity cannot be asked")
def put_show_offer(body: dict[str, Any], show_id: UUID) -> dict[str, Any]:
    """Take over what catalog says of a show"""
    use, unsold_only = wired(), body.pop("unsold_only")
    if body["creator_id"] is not None:
        learn_terms(use.begin, use.identity, creator_id=body["creator_id"])
    stored = put_offer(use.begin, offer=Offer(show_id=show_id, **body), unsold_only=unsold_only)
    return {"applied": stored == body["version"], "version": stored}


@blp.delete("/internal/offers/<uuid:show_id>")
@allow(OFFER_WRITERS)
@blp.arguments(DeletedOfferQuery, location="query", as_kwargs=True)
@blp.response(200, AppliedResponse)
@blp.alt_response(409, description="`HAS_BOOKINGS`: it was booked, whatever became of it")
def delete_show_offer(show_id: UUID, version: int) -> dict[str, Any]:
    """Forget a show that was never booked; late news of it change nothing"""
    newer = delete_offer(wired().begin, show_id=show_id, version=version)
    return {"applied": newer is None, "version": newer or version}


@blp.post("/internal/offers/<uuid:show_id>/cancellation")
@allow(OFFER_WRITERS)
@blp.arguments(CancellationRequest)
@blp.response(200, AppliedResponse)
@blp.alt_response(404, description="`SHOW_NOT_FOUND`")
def post_show_cancellation(body: dict[str, Any], show_id: UUID) -> dict[str, Any]:
    """Stop a show's sale for ever; its bookings are cancelled one by one"""
    cancelled, version = cancel_show(
        wired().begin, order=CancellationOrder(show_id=show_id, **body)
    )
    return {"applied": cancelled, "version": version}


@blp.get("/internal/offers/<uuid:show_id>/cancellation")
@allow(OFFER_WRITERS)
@blp.response(200, CancellationSchema)
@blp.alt_response(404, description="`CANCELLATION_NOT_FOUND`: the show was not cancelled")
def get_show_cancellation(show_id: UUID) -> Cancellation:
    """Show how far the cancellation of a show is"""
    with wired().read() as tx:
        cancellation = tx.cancellations.of_show(show_id)
    if cancellation is None:
        raise CancellationNotFound("This show was not cancelled.")
    return cancellation


@blp.post("/internal/offers/<uuid:show_id>/disbursement")
@allow(DISBURSERS)
@blp.arguments(DisbursementRequest, as_kwargs=True)
@blp.response(200, DisbursementSchema)
@blp.alt_response(404, description="`SHOW_NOT_FOUND`")
@blp.alt_response(
    409,
    description="`ALREADY_DISBURSED`, `SHOW_NOT_ENDED`, `PAYOUT_ON_HOLD`, `ACCOUNT_CLOSED`",
)
def post_show_disbursement(show_id: UUID, actor_id: UUID) -> Disbursement:
    """Pay a show's creator out, once; the caller has checked that the actor is an ADMIN"""
    return disburse(wired().begin, show_id=show_id, actor_id=actor_id)


@blp.put("/internal/creators/<uuid:creator_id>/standing")
@allow(STANDING_WRITERS)
@blp.arguments(StandingRequest)
@blp.response(200, AppliedResponse)
def put_creator_standing(body: dict[str, Any], creator_id: UUID) -> dict[str, Any]:
    """Take over whether a creator's shows may be sold"""
    said = Standing(**body)
    stored = set_standing(wired().begin, creator_id=creator_id, said=said)
    return {"applied": stored == said, "version": stored.version}


@blp.get("/internal/availability")
@allow(AVAILABILITY_READERS)
@blp.arguments(ShowsQuery, location="query", as_kwargs=True)
@blp.response(200, AvailabilityResponse)
def get_availability(show_ids: list[UUID]) -> dict[str, Any]:
    """Count the seats of some shows"""
    with wired().read() as tx:
        inventories = tx.inventory.of_shows(show_ids)
        bookings = tx.bookings.holds_and_active(show_ids)
    return {
        "shows": [
            _availability(inventory, *bookings.get(inventory.offer.show_id, (0, 0)))
            for inventory in inventories
        ]
    }


@blp.get("/internal/sales")
@allow(SALES_READERS)
@blp.arguments(ShowsQuery, location="query", as_kwargs=True)
@blp.response(200, SalesResponse)
def get_sales(show_ids: list[UUID]) -> dict[str, Any]:
    """Sum up what was sold of some shows"""
    with wired().read() as tx:
        return {"shows": tx.bookings.sales(show_ids)}


def _availability(inventory: Inventory, ended: int, active: int) -> dict[str, Any]:
    """Return the seats as they are once the holds that have ended are given back."""
    return {
        "show_id": inventory.offer.show_id,
        "available": inventory.available + ended,
        "locked": inventory.locked - ended,
        "sold": inventory.sold,
        "active_bookings": active,
        "on_sale": inventory.on_sale,
    }

"""Routes: GET /api/v1/admin/stats · GET, POST /api/v1/admin/collections."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from booking_service.api.idempotency import IdempotencyHeader, key_of
from booking_service.api.peers import if_it_answers
from booking_service.api.rules import ADMIN
from booking_service.api.wired import wired
from booking_service.clients.people import Contact
from booking_service.domain.money_views import CollectedShow, Collection, Group, Sums
from booking_service.usecases.disburse import disburse
from service_kit.access import allow, current_caller
from service_kit.openapi import Instant, Rupees, Schema
from service_kit.routes import Blueprint

blp = Blueprint("admin", __name__, description="What admins see of the money")


class StatsSchema(Schema):
    total_users = fields.Integer(required=True, allow_none=True)
    new_users_today = fields.Integer(required=True, allow_none=True)
    active_shows = fields.Integer(required=True)
    total_revenue = Rupees(required=True, metadata={"description": "of tickets"})
    pending_approvals = fields.Integer(required=True, allow_none=True)


class SumsSchema(Schema):
    show_revenue = Rupees(required=True, metadata={"description": "tickets"})
    booking_fee = Rupees(required=True, metadata={"description": "the convenience fee"})
    platform_fee = Rupees(required=True)
    platform_revenue = Rupees(required=True, metadata={"description": "tickets and booking fee"})
    platform_earnings = Rupees(required=True, metadata={"description": "both fees"})
    show_earnings = Rupees(required=True, metadata={"description": "tickets less platform fee"})


class ShowSumsSchema(SumsSchema):
    tickets_sold = fields.Integer(required=True)


class OrganizerNameSchema(Schema):
    name = fields.String(required=True)


class ComedianNameSchema(Schema):
    stage_name = fields.String(required=True)


class CreatorSchema(Schema):
    email = fields.String(
        required=True, allow_none=True, metadata={"description": "null while it cannot be had"}
    )
    organizer_profile = fields.Nested(OrganizerNameSchema, required=True, allow_none=True)
    comedian_profile = fields.Nested(ComedianNameSchema, required=True, allow_none=True)


class ActorSchema(Schema):
    id = fields.UUID(required=True)
    email = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "`null` also if identity does not answer"},
    )


class CollectedShowSchema(Schema):
    id = fields.UUID(required=True)
    title = fields.String(required=True)
    date = Instant(required=True)
    venue = fields.String(required=True)
    is_published = fields.Boolean(required=True)
    is_disbursed = fields.Boolean(required=True)
    disbursed_amount = Rupees(required=True, allow_none=True)
    disbursed_at = Instant(required=True, allow_none=True)
    disbursed_by = fields.Nested(
        ActorSchema,
        required=True,
        allow_none=True,
        metadata={"description": "`null` also once that person's account is deleted"},
    )
    payable = Rupees(
        required=True,
        metadata={"description": "what the creator is owed still, of captured money; may be < 0"},
    )
    creator = fields.Nested(CreatorSchema, required=True)
    stats = fields.Nested(ShowSumsSchema, required=True)


class CollectionSchema(SumsSchema):
    shows = fields.List(fields.Nested(CollectedShowSchema), required=True)


class CollectionsResponse(Schema):
    lifetime = fields.Nested(CollectionSchema, required=True)
    active = fields.Nested(
        CollectionSchema, required=True, metadata={"description": "published and not ended"}
    )
    pending = fields.Nested(
        CollectionSchema, required=True, metadata={"description": "ended and not disbursed"}
    )
    booked = fields.Nested(CollectionSchema, required=True, metadata={"description": "disbursed"})
    unpublished = fields.Nested(
        CollectionSchema, required=True, metadata={"description": "drafts and cancelled shows"}
    )


class CollectionsArguments(Schema):
    show_id = fields.UUID(load_default=None)


class DisburseRequest(Schema):
    show_id = fields.UUID(required=True)
    action = fields.String(required=True, validate=validate.OneOf(["DISBURSE"]))


class DisbursedResponse(Schema):
    success = fields.Boolean(required=True)
    show_id = fields.UUID(required=True)
    amount = Rupees(required=True)
    disbursed_at = Instant(required=True)


@blp.get("/api/v1/admin/stats")
@allow(ADMIN)
@blp.response(200, StatsSchema)
def get_stats() -> dict[str, int | None]:
    """Show the platform at a glance; figures of another service that is down are null"""
    use = wired()
    with use.read() as tx:
        active_shows, total_revenue = tx.money_views.statistics()
    people = if_it_answers(use.people.figures)
    return {
        "total_users": None if people is None else people.total_users,
        "new_users_today": None if people is None else people.new_users_today,
        "active_shows": active_shows,
        "total_revenue": total_revenue,
        "pending_approvals": None if people is None else people.pending_approvals,
    }


@blp.get("/api/v1/admin/collections")
@allow(ADMIN)
@blp.arguments(CollectionsArguments, location="query", as_kwargs=True)
@blp.response(200, CollectionsResponse)
def get_collections(show_id: UUID | None) -> dict[str, Any]:
    """Add up what shows earned, in groups"""
    use = wired()
    with use.read() as tx:
        collections = tx.money_views.collections(show_id=show_id)
    every = collections[Group.LIFETIME].shows
    named = {each.show.creator_id for each in every} | {each.disbursed_by for each in every}
    people = {each for each in named if each is not None}
    contacts = if_it_answers(lambda: use.people.contacts(people)) or {}
    return {
        group.value: _collection(collection, contacts) for group, collection in collections.items()
    }


@blp.post("/api/v1/admin/collections")
@allow(ADMIN)
@blp.arguments(DisburseRequest)
@blp.arguments(IdempotencyHeader, location="headers")
@blp.response(200, DisbursedResponse)
@blp.alt_response(404, description="`SHOW_NOT_FOUND`")
@blp.alt_response(
    409,
    description="`ALREADY_DISBURSED`, `SHOW_NOT_ENDED`, `PAYOUT_ON_HOLD`, `ACCOUNT_CLOSED`, "
    "`IN_FLIGHT`",
)
@blp.alt_response(422, description="invalid fields, or `IDEMPOTENCY_KEY_REUSED`")
def post_collection(body: dict[str, Any], headers: dict[str, Any]) -> dict[str, Any]:
    """Pay a show's creator out, once, with what is payable"""
    show_id = body["show_id"]
    paid = disburse(
        wired().begin,
        show_id=show_id,
        actor_id=current_caller().id,
        key=key_of(headers["idempotency_key"], body),
    )
    return {
        "success": True,
        "show_id": show_id,
        "amount": paid.amount_paise,
        "disbursed_at": paid.disbursed_at,
    }


def _collection(collection: Collection, contacts: Mapping[UUID, Contact]) -> dict[str, Any]:
    shows = [_collected(each, contacts) for each in collection.shows]
    return {**_wire_sums(collection.sums), "shows": shows}


def _collected(each: CollectedShow, contacts: Mapping[UUID, Contact]) -> dict[str, Any]:
    show = each.show
    contact = contacts.get(show.creator_id) if show.creator_id else None
    return {
        "id": show.id,
        "title": show.title,
        "date": show.starts_at,
        "venue": show.venue,
        "is_published": show.is_published,
        "is_disbursed": each.disbursed_at is not None,
        "disbursed_amount": each.disbursed_paise,
        "disbursed_at": each.disbursed_at,
        "disbursed_by": _actor(each.disbursed_by, contacts),
        "payable": each.payable_paise,
        "creator": _creator(contact),
        "stats": {**_wire_sums(show.sums), "tickets_sold": show.sums.tickets_sold},
    }


def _actor(person_id: UUID | None, contacts: Mapping[UUID, Contact]) -> dict[str, Any] | None:
    if person_id is None:
        return None
    contact = contacts.get(person_id)
    return {"id": person_id, "email": contact and contact.email}


def _creator(contact: Contact | None) -> dict[str, Any]:
    if contact is None:
        return {"email": None, "organizer_profile": None, "comedian_profile": None}
    organizer, stage = contact.organizer_name, contact.stage_name
    return {
        "email": contact.email,
        "organizer_profile": None if organizer is None else {"name": organizer},
        "comedian_profile": None if stage is None else {"stage_name": stage},
    }


def _wire_sums(sums: Sums) -> dict[str, int]:
    return {
        "show_revenue": sums.show_revenue,
        "booking_fee": sums.booking_fee,
        "platform_fee": sums.platform_fee,
        "platform_revenue": sums.platform_revenue,
        "platform_earnings": sums.platform_earnings,
        "show_earnings": sums.show_earnings,
    }

"""Shows for admins: GET, POST /api/v1/admin/shows."""

from enum import StrEnum
from typing import Any
from uuid import UUID

import marshmallow as ma
from marshmallow import fields, validate

from catalog_service.api.documents import show_documents, with_stats
from catalog_service.api.inputs import stored_instant
from catalog_service.api.life_schemas import MAX_REASON, DeletedShowResponse
from catalog_service.api.outcomes import changed, deleted
from catalog_service.api.rules import ADMIN, current_actor
from catalog_service.api.schemas import CreatorSchema, ShowSchema
from catalog_service.api.wired import wired
from catalog_service.clients.identity import Contact
from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import OwnFee, ShowChange
from catalog_service.domain.discovery import Listing, ShowFilter, ShowOrder, ShowPosition
from catalog_service.usecases.cancel_show import cancel_show
from catalog_service.usecases.delete_show import delete_show
from catalog_service.usecases.publish_show import publish_show
from catalog_service.usecases.set_disbursed import set_disbursed
from catalog_service.usecases.set_show_fee import set_show_fee
from catalog_service.usecases.unpublish_show import unpublish_show
from catalog_service.wiring import Wiring
from service_kit.access import allow
from service_kit.openapi import Flag, Schema
from service_kit.pagination import PageArguments, decode_cursor, page_of
from service_kit.routes import Blueprint
from service_kit.texts import LongText

BASIS_POINTS_PER_PERCENT = 100
USUAL_REASON = "Cancelled by Comedy Connect."

blp = Blueprint("admin shows", __name__, url_prefix="/api/v1/admin/shows", description="Shows")


class Action(StrEnum):
    """What an admin does to a show."""

    PUBLISH = "PUBLISH"
    UNPUBLISH = "UNPUBLISH"
    DELETE = "DELETE"
    UPDATE_FEE = "UPDATE_FEE"
    SET_DISBURSED = "SET_DISBURSED"
    CANCEL = "CANCEL"


class OrganizerNameSchema(Schema):
    name = fields.String(required=True)


class AdminCreatorSchema(CreatorSchema):
    email = fields.String(
        required=True, allow_none=True, metadata={"description": "null: unknown at the moment"}
    )
    organizer_profile = fields.Nested(OrganizerNameSchema, required=True, allow_none=True)


class AdminShowSchema(ShowSchema):
    creator = fields.Nested(AdminCreatorSchema, required=True)


class AdminShowsResponse(Schema):
    shows = fields.List(fields.Nested(AdminShowSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ActionRequest(Schema):
    show_id = fields.UUID(required=True)
    action = fields.Enum(Action, by_value=True, required=True)
    custom_platform_fee = fields.Float(
        allow_none=True,
        allow_nan=False,
        validate=validate.Range(0, 100),
        metadata={"description": "percent, for UPDATE_FEE; null: the usual one"},
    )
    is_disbursed = Flag(
        metadata={"description": "for SET_DISBURSED; true pays the creator out, once"},
    )
    reason = LongText(
        load_default=USUAL_REASON,
        validate=validate.Length(1, MAX_REASON),
        metadata={"description": "for CANCEL, told to the buyers"},
    )

    @ma.validates_schema
    def check_fee(self, body: dict[str, Any], **_kwargs: Any) -> None:
        """Have a fee where one is set, in hundredths of a percent, and nowhere else."""
        given = "custom_platform_fee" in body
        if given is not (body["action"] is Action.UPDATE_FEE):
            raise ma.ValidationError("Give it for UPDATE_FEE only.", "customPlatformFee")
        basis_points = (body.get("custom_platform_fee") or 0) * BASIS_POINTS_PER_PERCENT
        if abs(basis_points - round(basis_points)) > 1e-6:
            raise ma.ValidationError("At most two decimals.", "customPlatformFee")

    @ma.validates_schema
    def check_disbursed(self, body: dict[str, Any], **_kwargs: Any) -> None:
        """Have it said for SET_DISBURSED whether, and nowhere else."""
        if ("is_disbursed" in body) is not (body["action"] is Action.SET_DISBURSED):
            raise ma.ValidationError("Give it for SET_DISBURSED only.", "isDisbursed")


@blp.get("")
@allow(ADMIN)
@blp.arguments(PageArguments, location="query", as_kwargs=True)
@blp.response(200, AdminShowsResponse)
def get_admin_shows(limit: int, cursor: str | None) -> dict[str, Any]:
    """List everybody's shows, the newest first, with their creators and their sales"""
    use = wired()
    listing = Listing(ShowFilter(), ShowOrder.NEWEST, limit, _position(cursor))
    with use.read() as tx:
        rows = tx.shows.all(listing)
    page = page_of(rows, limit=limit, key=lambda show: [show.created_at.isoformat(), str(show.id)])
    documents = show_documents(use, page.items, current_actor())
    with_stats(page.items, documents, use)
    contacts = use.contacts.of(show.creator_id for show in page.items)
    for show, document in zip(page.items, documents, strict=True):
        document["creator"] |= _contact_view(contacts.get(show.creator_id))
    return {"shows": documents, "next_cursor": page.next_cursor}


@blp.post("")
@allow(ADMIN)
@blp.arguments(ActionRequest)
@blp.response(200, DeletedShowResponse)
@blp.alt_response(202, schema=DeletedShowResponse, description="not decided yet: `pendingChange`")
@blp.alt_response(404, description="unknown")
@blp.alt_response(409, description="as when the creator does it")
def post_admin_show(body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Publish, take back, delete, cancel, pay out, or set a fee, under the same rules as all"""
    actor, show_id = current_actor(), body["show_id"]
    if body["action"] is Action.SET_DISBURSED:
        return _set_disbursed(wired(), actor, show_id, disbursed=body["is_disbursed"])
    change = _do(wired(), actor, show_id, body)
    if change is not None and body["action"] is Action.DELETE:
        return deleted(change, actor)
    answer, status = changed(show_id, change, actor)
    return {"success": answer["pending_change"] is None, **answer}, status


def _set_disbursed(
    use: Wiring, actor: Actor, show_id: UUID, *, disbursed: bool
) -> tuple[dict[str, Any], int]:
    set_disbursed(
        use.read,
        use.disbursements,
        use.sales,
        actor=actor,
        show_id=show_id,
        disbursed=disbursed,
    )
    answer, status = changed(show_id, None, actor)
    answer["show"]["is_disbursed"] = disbursed
    return {"success": True, **answer}, status


def _do(use: Wiring, actor: Actor, show_id: UUID, body: dict[str, Any]) -> ShowChange | None:
    match body["action"]:
        case Action.PUBLISH:
            return publish_show(use.begin, actor=actor, show_id=show_id, now=use.now())
        case Action.UNPUBLISH:
            return unpublish_show(use.begin, actor=actor, show_id=show_id)
        case Action.DELETE:
            return delete_show(use.begin, actor=actor, show_id=show_id)
        case Action.CANCEL:
            reason = body["reason"]
            return cancel_show(
                use.begin, actor=actor, show_id=show_id, reason=reason, now=use.now()
            )
        case _:
            fee = _fee(body["custom_platform_fee"])
            return set_show_fee(use.begin, actor=actor, show_id=show_id, fee=fee)


def _fee(percent: float | None) -> OwnFee:
    return OwnFee(None if percent is None else round(percent * BASIS_POINTS_PER_PERCENT))


def _contact_view(contact: Contact | None) -> dict[str, Any]:
    if contact is None:
        return {"email": None, "organizer_profile": None}
    name = contact.organizer_name
    return {
        "email": contact.email,
        "organizer_profile": None if name is None else {"name": name},
    }


def _position(cursor: str | None) -> ShowPosition | None:
    return None if cursor is None else ShowPosition(*decode_cursor(cursor, stored_instant, UUID))

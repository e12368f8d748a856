"""Creators for admins: GET, POST /api/v1/admin/organizers · /api/v1/admin/comedian-users."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields, validate, validates_schema

from identity_service.api.percent import Percent
from identity_service.api.profile_fields import Form, optional_long_text
from identity_service.api.rules import ADMIN
from identity_service.api.second_factor import SuccessResponse
from identity_service.api.user_schema import ROLES, ComedianProfileSchema, OrganizerProfileSchema
from identity_service.api.wired import wired
from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.creators import Creator
from identity_service.domain.people import Role, role_on_the_wire
from identity_service.usecases.decide_application import decide_application
from identity_service.usecases.set_platform_fee import set_platform_fee
from service_kit.access import allow, current_caller
from service_kit.openapi import Instant, Schema
from service_kit.pagination import Page, PageArguments, decode_cursor, page_of
from service_kit.routes import Blueprint

blp = Blueprint("creators", __name__, description="Deciding about creators")

MAX_REASON = 1000


class Wish(StrEnum):
    """What an admin wants to do about a creator."""

    APPROVE = "APPROVE"
    REJECT = "REJECT"
    REVOKE = "REVOKE"
    ENABLE = "ENABLE"
    UPDATE_FEE = "UPDATE_FEE"


DECISIONS = {
    Wish.APPROVE: ApprovalStatus.APPROVED,
    Wish.REJECT: ApprovalStatus.REJECTED,
    Wish.REVOKE: ApprovalStatus.REVOKED,
    Wish.ENABLE: ApprovalStatus.APPROVED,
}


class DecidingAdminSchema(Schema):
    email = fields.String(required=True)


class DecisionSchema(Schema):
    id = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(list(ApprovalStatus)))
    reason = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)
    admin = fields.Nested(DecidingAdminSchema, required=True, allow_none=True)


class _Managed(Schema):
    custom_platform_fee = Percent(
        required=True, allow_none=True, metadata={"description": "percent; null: the usual one"}
    )
    created_at = Instant(required=True)
    updated_at = Instant(required=True)
    approvals = fields.List(fields.Nested(DecisionSchema), required=True)


class ManagedOrganizerProfileSchema(OrganizerProfileSchema, _Managed):
    pass


class ManagedComedianProfileSchema(ComedianProfileSchema, _Managed):
    pass


class ManagedOrganizerSchema(Schema):
    id = fields.String(required=True)
    email = fields.String(required=True)
    role = fields.String(required=True, metadata={"enum": ROLES})
    organizer_profile = fields.Nested(ManagedOrganizerProfileSchema, required=True)


class ManagedComedianSchema(Schema):
    id = fields.String(required=True)
    email = fields.String(required=True)
    role = fields.String(required=True, metadata={"enum": ROLES})
    name = fields.String(required=True, allow_none=True)
    image = fields.String(required=True, allow_none=True)
    comedian_profile = fields.Nested(ManagedComedianProfileSchema, required=True)


class OrganizersResponse(Schema):
    organizers = fields.List(fields.Nested(ManagedOrganizerSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ComediansResponse(Schema):
    comedians = fields.List(fields.Nested(ManagedComedianSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class _WishRequest(Form):
    action = fields.Enum(Wish, by_value=True, required=True)
    custom_platform_fee = Percent(
        allow_none=True, metadata={"description": "0 to 100; for UPDATE_FEE; null: the usual one"}
    )
    reason = optional_long_text(MAX_REASON)

    @validates_schema
    def check_fee(self, body: dict[str, Any], **_kwargs: Any) -> None:
        """Refuse to update a fee to nothing in particular."""
        if body["action"] is Wish.UPDATE_FEE and "custom_platform_fee" not in body:
            raise ValidationError("A fee, or null, is needed.", "customPlatformFee")


class OrganizerWishRequest(_WishRequest):
    organizer_id = fields.UUID(required=True)


class ComedianWishRequest(_WishRequest):
    comedian_id = fields.UUID(required=True)


@blp.get("/api/v1/admin/organizers")
@allow(ADMIN)
@blp.arguments(PageArguments, location="query", as_kwargs=True)
@blp.response(200, OrganizersResponse)
def get_organizers(limit: int, cursor: str | None) -> dict[str, Any]:
    """List organizers with their history, the newest profile first"""
    page = _page_of(Role.ORGANIZER, limit, cursor)
    return {
        "organizers": [
            {**_person_view(each), "organizer_profile": _profile_view(each)} for each in page.items
        ],
        "next_cursor": page.next_cursor,
    }


@blp.post("/api/v1/admin/organizers")
@allow(ADMIN)
@blp.arguments(OrganizerWishRequest)
@blp.response(200, SuccessResponse)
@blp.alt_response(404, description="`UNKNOWN_PERSON`")
@blp.alt_response(409, description="`DECISION_NOT_POSSIBLE`")
def post_organizer(body: dict[str, Any]) -> dict[str, Any]:
    """Approve, reject, revoke or enable an organizer, or agree on a fee"""
    return _fulfil(body.pop("organizer_id"), Role.ORGANIZER, body)


@blp.get("/api/v1/admin/comedian-users")
@allow(ADMIN)
@blp.arguments(PageArguments, location="query", as_kwargs=True)
@blp.response(200, ComediansResponse)
def get_comedian_users(limit: int, cursor: str | None) -> dict[str, Any]:
    """List comedians with their history, the newest profile first"""
    page = _page_of(Role.COMEDIAN, limit, cursor)
    return {
        "comedians": [
            {
                **_person_view(each),
                "name": each.name,
                "image": each.image,
                "comedian_profile": _profile_view(each),
            }
            for each in page.items
        ],
        "next_cursor": page.next_cursor,
    }


@blp.post("/api/v1/admin/comedian-users")
@allow(ADMIN)
@blp.arguments(ComedianWishRequest)
@blp.response(200, SuccessResponse)
@blp.alt_response(404, description="`UNKNOWN_PERSON`")
@blp.alt_response(409, description="`DECISION_NOT_POSSIBLE`")
def post_comedian_user(body: dict[str, Any]) -> dict[str, Any]:
    """Approve, reject, revoke or enable a comedian, or agree on a fee"""
    return _fulfil(body.pop("comedian_id"), Role.COMEDIAN, body)


def _fulfil(user_id: UUID, role: Role, body: dict[str, Any]) -> dict[str, Any]:
    begin, admin_id = wired().begin, current_caller().id
    if body["action"] is Wish.UPDATE_FEE:
        set_platform_fee(
            begin,
            user_id=user_id,
            role=role,
            basis_points=body["custom_platform_fee"],
            admin_id=admin_id,
        )
    else:
        decide_application(
            begin,
            user_id=user_id,
            role=role,
            decision=DECISIONS[body["action"]],
            admin_id=admin_id,
            reason=body.get("reason"),
        )
    return {"success": True}


def _page_of(role: Role, limit: int, cursor: str | None) -> Page[Creator]:
    after = None
    if cursor is not None:
        created_at, user_id = decode_cursor(cursor, _instant, UUID)
        after = created_at, user_id
    with wired().read() as tx:
        found = tx.creators.with_role(role, limit=limit + 1, after=after)
    return page_of(found, limit=limit, key=_sort_key)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("no time zone")
    return instant


def _sort_key(creator: Creator) -> tuple[str, str]:
    return creator.created_at.isoformat(), str(creator.id)


def _person_view(creator: Creator) -> dict[str, Any]:
    return {
        "id": creator.id,
        "email": creator.email,
        "role": role_on_the_wire(creator.role, creator.standing),
    }


def _profile_view(creator: Creator) -> dict[str, Any]:
    return {
        **creator.profile.contents(),
        "id": creator.profile.id,
        "custom_platform_fee": creator.platform_fee_basis_points,
        "created_at": creator.created_at,
        "updated_at": creator.updated_at,
        "approvals": [
            {
                "id": entry.id,
                "status": entry.status,
                "reason": entry.reason,
                "created_at": entry.created_at,
                "updated_at": entry.created_at,  # entries never change
                "admin": {"email": entry.admin_email} if entry.admin_email else None,
            }
            for entry in creator.approvals
        ],
    }

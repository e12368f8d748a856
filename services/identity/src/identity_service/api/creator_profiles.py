"""Applications and profiles of creators.

GET, POST, PUT /api/v1/comedian/profile · GET, POST, PUT /api/v1/organizer/profile
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate
from uuid_utils.compat import uuid7

from identity_service.api.plain_text import plain_text
from identity_service.api.profile_fields import (
    MAX_TEXT,
    Form,
    changes_from,
    instagram_urls,
    optional_long_text,
    optional_text,
    phone_number,
    social_link,
    social_links,
    youtube_urls,
)
from identity_service.api.user_schema import ComedianProfileSchema, OrganizerProfileSchema
from identity_service.api.wired import wired
from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.errors import NoProfile, SignedOut, UnknownPerson
from identity_service.domain.people import (
    Changes,
    ComedianProfile,
    CreatorProfile,
    OrganizerProfile,
    Role,
    links_with_handles,
)
from identity_service.usecases.apply_as_creator import apply_as_creator
from identity_service.usecases.edit_creator_profile import edit_creator_profile
from service_kit.access import SIGNED_IN, allow, current_caller
from service_kit.openapi import Instant, Schema
from service_kit.routes import Blueprint

blp = Blueprint("creator-profiles", __name__, description="Becoming a creator, and being one")

HANDLES = ("instagram", "youtube")


class ComedianRequest(Form):
    stage_name = plain_text(MAX_TEXT, required=True)
    bio = optional_long_text()
    contact = phone_number()
    social_links = social_links()
    youtube_urls = youtube_urls()
    instagram_urls = instagram_urls()


class OrganizerRequest(Form):
    name = plain_text(MAX_TEXT, required=True)
    contact = plain_text(MAX_TEXT, required=True)
    venue = optional_text()
    description = optional_long_text()
    social_links = social_links()
    youtube_urls = youtube_urls()
    instagram_urls = instagram_urls()
    instagram = social_link()
    youtube = social_link()


class ComedianChanges(ComedianRequest):
    stage_name = plain_text(MAX_TEXT)


class OrganizerChanges(OrganizerRequest):
    name = plain_text(MAX_TEXT)
    contact = plain_text(MAX_TEXT)


class ApprovalSchema(Schema):
    status = fields.String(required=True, validate=validate.OneOf(list(ApprovalStatus)))
    reason = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)


class ComedianResponse(Schema):
    success = fields.Boolean(required=True)
    profile = fields.Nested(ComedianProfileSchema, required=True)
    approval = fields.Nested(ApprovalSchema, required=True, allow_none=True)


class OrganizerResponse(Schema):
    success = fields.Boolean(required=True)
    profile = fields.Nested(OrganizerProfileSchema, required=True)
    approval = fields.Nested(ApprovalSchema, required=True, allow_none=True)


@blp.get("/api/v1/comedian/profile")
@allow(SIGNED_IN)
@blp.response(200, ComedianResponse)
@blp.alt_response(404, description="`NO_PROFILE`")
def get_comedian_profile() -> dict[str, Any]:
    """Show the caller's profile as a comedian, and what was decided about it last"""
    return _view(Role.COMEDIAN)


@blp.post("/api/v1/comedian/profile")
@allow(SIGNED_IN)
@blp.arguments(ComedianRequest)
@blp.response(201, ComedianResponse)
@blp.alt_response(409, description="`ALREADY_APPLIED`, `ROLE_CONFLICT`")
def post_comedian_profile(body: dict[str, Any]) -> dict[str, Any]:
    """Apply as a comedian; who was rejected applies again"""
    return _apply(ComedianProfile(id=uuid7(), **changes_from(body)))


@blp.put("/api/v1/comedian/profile")
@allow(SIGNED_IN)
@blp.arguments(ComedianChanges)
@blp.response(200, ComedianResponse)
@blp.alt_response(404, description="`NO_PROFILE`")
def put_comedian_profile(body: dict[str, Any]) -> dict[str, Any]:
    """Change the profile: absent stays, null clears; who was rejected applies again"""
    return _edit(Role.COMEDIAN, changes_from(body), handles={})


@blp.get("/api/v1/organizer/profile")
@allow(SIGNED_IN)
@blp.response(200, OrganizerResponse)
@blp.alt_response(404, description="`NO_PROFILE`")
def get_organizer_profile() -> dict[str, Any]:
    """Show the caller's profile as an organizer, and what was decided about it last"""
    return _view(Role.ORGANIZER)


@blp.post("/api/v1/organizer/profile")
@allow(SIGNED_IN)
@blp.arguments(OrganizerRequest)
@blp.response(201, OrganizerResponse)
@blp.alt_response(409, description="`ALREADY_APPLIED`, `ROLE_CONFLICT`")
def post_organizer_profile(body: dict[str, Any]) -> dict[str, Any]:
    """Apply as an organizer; who was rejected applies again"""
    changes = changes_from(_without_handles(body))
    changes["social_links"] = links_with_handles(changes.get("social_links"), _handles(body))
    return _apply(OrganizerProfile(id=uuid7(), **changes))


@blp.put("/api/v1/organizer/profile")
@allow(SIGNED_IN)
@blp.arguments(OrganizerChanges)
@blp.response(200, OrganizerResponse)
@blp.alt_response(404, description="`NO_PROFILE`")
def put_organizer_profile(body: dict[str, Any]) -> dict[str, Any]:
    """Change the profile: absent stays, null clears; who was rejected applies again"""
    changes = changes_from(_without_handles(body))
    return _edit(Role.ORGANIZER, changes, handles=_handles(body))


def _handles(body: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the names at networks that stand beside the social links instead of among them."""
    return {name: body[name] for name in HANDLES if name in body}


def _without_handles(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in HANDLES}


def _apply(profile: CreatorProfile) -> dict[str, Any]:
    try:
        apply_as_creator(wired().begin, user_id=current_caller().id, profile=profile)
    except UnknownPerson as gone:
        raise SignedOut from gone
    return _view(profile.role)


def _edit(role: Role, changes: Changes, *, handles: Mapping[str, str | None]) -> dict[str, Any]:
    edit_creator_profile(
        wired().begin,
        user_id=current_caller().id,
        role=role,
        changes=changes,
        handles=handles,
    )
    return _view(role)


def _view(role: Role) -> dict[str, Any]:
    user_id = current_caller().id
    with wired().read() as tx:
        person, approval = tx.people.get(user_id), tx.applications.newest(user_id)
    if person is None:
        raise SignedOut
    if person.role is not role:
        raise NoProfile
    profile = person.organizer_profile if role is Role.ORGANIZER else person.comedian_profile
    return {"success": True, "profile": profile, "approval": approval}

"""A person on the wire, as the front end knows it."""

from dataclasses import asdict
from typing import Any

from marshmallow import fields

from identity_service.domain.people import Person, role_on_the_wire
from service_kit.openapi import Instant, Schema

ROLES = [
    "AUDIENCE",
    "ORGANIZER_UNVERIFIED",
    "ORGANIZER_VERIFIED",
    "COMEDIAN_UNVERIFIED",
    "COMEDIAN_VERIFIED",
    "ADMIN",
]


class ComedianProfileSchema(Schema):
    id = fields.String(required=True)
    stage_name = fields.String(required=True)
    bio = fields.String(required=True, allow_none=True)
    contact = fields.String(required=True, allow_none=True)
    youtube_urls = fields.List(fields.String(), required=True)
    instagram_urls = fields.List(fields.String(), required=True)
    social_links = fields.Dict(
        keys=fields.String(), values=fields.String(), required=True, allow_none=True
    )


class OrganizerProfileSchema(Schema):
    id = fields.String(required=True)
    name = fields.String(required=True)
    contact = fields.String(required=True, allow_none=True)
    description = fields.String(required=True, allow_none=True)
    venue = fields.String(required=True, allow_none=True)
    youtube_urls = fields.List(fields.String(), required=True)
    instagram_urls = fields.List(fields.String(), required=True)
    social_links = fields.Dict(
        keys=fields.String(), values=fields.String(), required=True, allow_none=True
    )


class UserSchema(Schema):
    id = fields.String(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    image = fields.String(required=True, allow_none=True)
    role = fields.String(required=True, metadata={"enum": ROLES})
    onboarding_completed = fields.Boolean(required=True)
    phone = fields.String(required=True, allow_none=True)
    age = fields.Integer(required=True, allow_none=True)
    city = fields.String(required=True, allow_none=True)
    bio = fields.String(required=True, allow_none=True)
    language = fields.String(required=True, allow_none=True)
    interests = fields.List(fields.String(), required=True)
    heard_about_us = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)
    comedian_profile = fields.Nested(ComedianProfileSchema, required=True, allow_none=True)
    organizer_profile = fields.Nested(OrganizerProfileSchema, required=True, allow_none=True)


def user_view(person: Person) -> dict[str, Any]:
    """Return what `UserSchema` writes: the role carries the standing."""
    return asdict(person) | {"role": role_on_the_wire(person.role, person.approval)}

"""After the first sign-in: POST /api/v1/onboarding · GET /api/v1/user/onboarding-status."""

from typing import Any

from marshmallow import fields, validate

from identity_service.api.plain_text import long_text, plain_text
from identity_service.api.profile_fields import Form
from identity_service.api.user_schema import ROLES, UserSchema, user_view
from identity_service.api.wired import wired
from identity_service.domain.errors import SignedOut, UnknownPerson
from identity_service.domain.people import MAX_AGE, Onboarding, role_on_the_wire
from identity_service.usecases.onboard import onboard
from service_kit.access import SIGNED_IN, allow, current_caller
from service_kit.openapi import Schema
from service_kit.routes import Blueprint

blp = Blueprint("onboarding", __name__, description="What a person tells after the first sign-in")

MAX_TEXT, MAX_BIO, MAX_INTERESTS = 200, 2000, 50


class OnboardingRequest(Form):
    name = plain_text(MAX_TEXT, required=True)
    age = fields.Integer(required=True, strict=True, validate=validate.Range(1, MAX_AGE))
    city = plain_text(MAX_TEXT, required=True)
    watched_comedy = fields.String(required=True, validate=validate.OneOf(["yes", "no"]))
    phone = plain_text(MAX_TEXT, load_default=None, allow_none=True)
    heard_about_us = plain_text(MAX_TEXT, load_default=None, allow_none=True)
    bio = long_text(MAX_BIO, load_default=None, allow_none=True)
    interests = fields.List(
        plain_text(MAX_TEXT),
        load_default=(),
        allow_none=True,
        validate=validate.Length(max=MAX_INTERESTS),
    )


class OnboardingResponse(Schema):
    success = fields.Boolean(required=True)
    user = fields.Nested(UserSchema, required=True)


class OnboardingStatusResponse(Schema):
    onboarding_completed = fields.Boolean(required=True)
    role = fields.String(required=True, metadata={"enum": ROLES})


@blp.post("/api/v1/onboarding")
@allow(SIGNED_IN)
@blp.arguments(OnboardingRequest)
@blp.response(200, OnboardingResponse)
def post_onboarding(answers: dict[str, Any]) -> dict[str, Any]:
    """Store the caller's answers"""
    told = Onboarding(
        name=answers["name"],
        age=answers["age"],
        city=answers["city"],
        watched_comedy=answers["watched_comedy"] == "yes",
        phone=answers["phone"],
        heard_about_us=answers["heard_about_us"],
        bio=answers["bio"],
        interests=tuple(answers["interests"] or ()),
    )
    try:
        person = onboard(wired().begin, user_id=current_caller().id, answers=told)
    except UnknownPerson as gone:
        raise SignedOut from gone
    return {"success": True, "user": user_view(person)}


@blp.get("/api/v1/user/onboarding-status")
@allow(SIGNED_IN)
@blp.response(200, OnboardingStatusResponse)
def get_onboarding_status() -> dict[str, Any]:
    """Show whether the caller has answered"""
    with wired().read() as tx:
        person = tx.people.get(current_caller().id)
    if person is None:
        raise SignedOut
    return {
        "onboarding_completed": person.onboarding_completed,
        "role": role_on_the_wire(person.role, person.approval),
    }

"""What other services may know of people: GET /internal/people · /internal/creators/terms."""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate
from webargs.fields import DelimitedList

from identity_service.api.rules import CREATOR_READERS, PEOPLE_READERS
from identity_service.api.wired import wired
from identity_service.domain.people import Role
from service_kit.access import allow
from service_kit.openapi import Schema
from service_kit.routes import Blueprint

blp = Blueprint("people", __name__, description="People, for other services")

MAX_IDS = 200


class PeopleArguments(Schema):
    ids = DelimitedList(
        fields.UUID(),
        required=True,
        validate=validate.Length(min=1, max=MAX_IDS),
        metadata={"description": f"at most {MAX_IDS}, separated by commas"},
    )


class PublicPersonSchema(Schema):
    id = fields.UUID(required=True)
    name = fields.String(
        required=True, allow_none=True, metadata={"description": "a creator's public name"}
    )
    role = fields.String(required=True, validate=validate.OneOf(list(Role)))
    approved = fields.Boolean(required=True)
    image = fields.String(
        required=True, allow_none=True, metadata={"description": "an upload's path or a link"}
    )


class PeopleResponse(Schema):
    people = fields.List(fields.Nested(PublicPersonSchema), required=True)


class TermsSchema(Schema):
    id = fields.UUID(required=True)
    platform_fee_basis_points = fields.Integer(
        required=True,
        allow_none=True,
        validate=validate.Range(0, 10_000),
        metadata={"description": "null: the usual fee"},
    )


class TermsResponse(Schema):
    creators = fields.List(fields.Nested(TermsSchema), required=True)


@blp.get("/internal/people")
@allow(PEOPLE_READERS)
@blp.arguments(PeopleArguments, location="query", as_kwargs=True)
@blp.response(200, PeopleResponse)
def get_people(ids: list[UUID]) -> dict[str, Any]:
    """Show names, roles, standing and pictures; unknown people are left out"""
    with wired().read() as tx:
        return {"people": tx.people.public(ids)}


@blp.get("/internal/creators/terms")
@allow(CREATOR_READERS)
@blp.arguments(PeopleArguments, location="query", as_kwargs=True)
@blp.response(200, TermsResponse)
def get_creators_terms(ids: list[UUID]) -> dict[str, Any]:
    """Show what was agreed with people who put shows on; unknown people are left out"""
    with wired().read() as tx:
        return {"creators": tx.terms.of(ids)}

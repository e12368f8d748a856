"""Routes for what admins are shown elsewhere.

GET /internal/contacts · POST /internal/contacts/search · GET /internal/figures
"""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from identity_service.api.people import PeopleArguments
from identity_service.api.rules import CONTACT_READERS, FIGURE_READERS
from identity_service.api.wired import wired
from identity_service.domain.contacts import Figures
from service_kit.access import allow
from service_kit.openapi import Schema
from service_kit.routes import Blueprint

blp = Blueprint("contacts", __name__, description="For what admins are shown elsewhere")

MAX_EMAIL = 320


class ContactSchema(Schema):
    id = fields.UUID(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    organizer_name = fields.String(required=True, allow_none=True)
    stage_name = fields.String(required=True, allow_none=True)


class ContactsResponse(Schema):
    contacts = fields.List(fields.Nested(ContactSchema), required=True)


class SearchRequest(Schema):
    email = fields.String(required=True, validate=validate.Length(1, MAX_EMAIL))


class SearchResponse(Schema):
    ids = fields.List(fields.UUID(), required=True)


class FiguresSchema(Schema):
    total_users = fields.Integer(required=True)
    new_users_today = fields.Integer(
        required=True, metadata={"description": "days are those of Asia/Kolkata"}
    )
    pending_approvals = fields.Integer(required=True)


@blp.get("/internal/contacts")
@allow(CONTACT_READERS)
@blp.arguments(PeopleArguments, location="query", as_kwargs=True)
@blp.response(200, ContactsResponse)
def get_contacts(ids: list[UUID]) -> dict[str, Any]:
    """Show how people are reached, to be shown to admins only; unknown people are left out"""
    with wired().read() as tx:
        return {"contacts": tx.contacts.of(ids)}


@blp.post("/internal/contacts/search")
@allow(CONTACT_READERS)
@blp.arguments(SearchRequest, as_kwargs=True)
@blp.response(200, SearchResponse)
def post_contact_search(email: str) -> dict[str, Any]:
    """Find the people with an e-mail, in any case; a body, as addresses are in no log"""
    with wired().read() as tx:
        return {"ids": tx.people.with_email(email)}


@blp.get("/internal/figures")
@allow(FIGURE_READERS)
@blp.response(200, FiguresSchema)
def get_figures() -> Figures:
    """Count people and applications"""
    with wired().read() as tx:
        return tx.contacts.figures()

"""The directory for admins: GET /api/v1/admin/comedians."""

from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import fields

from catalog_service.api.admin_shows import OrganizerNameSchema
from catalog_service.api.inputs import stored_instant
from catalog_service.api.rules import ADMIN
from catalog_service.api.wired import wired
from catalog_service.clients.identity import Contact
from catalog_service.domain.comedians import RegistryEntry
from service_kit.access import allow
from service_kit.openapi import Instant, Schema
from service_kit.pagination import PageArguments, decode_cursor, page_of
from service_kit.routes import Blueprint

blp = Blueprint(
    "admin comedians", __name__, url_prefix="/api/v1/admin/comedians", description="Comedians"
)


class EntryCreatorSchema(Schema):
    email = fields.String(
        required=True, allow_none=True, metadata={"description": "null: unknown at the moment"}
    )
    organizer_profile = fields.Nested(OrganizerNameSchema, required=True, allow_none=True)


class EntryCountSchema(Schema):
    show_comedians = fields.Integer(
        required=True, metadata={"description": "shows that have the comedian on their bill"}
    )


class RegistryEntrySchema(Schema):
    id = fields.String(required=True)
    name = fields.String(required=True)
    bio = fields.String(required=True, allow_none=True)
    profile_image_url = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)
    creator = fields.Nested(
        EntryCreatorSchema,
        required=True,
        allow_none=True,
        metadata={"description": "null once that account is gone"},
    )
    count = fields.Nested(EntryCountSchema, required=True, data_key="_count")


class RegistryResponse(Schema):
    comedians = fields.List(fields.Nested(RegistryEntrySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blp.get("")
@allow(ADMIN)
@blp.arguments(PageArguments, location="query", as_kwargs=True)
@blp.response(200, RegistryResponse)
def get_admin_comedians(limit: int, cursor: str | None) -> dict[str, Any]:
    """List everybody's entries, the newest first, with their creators and their shows"""
    use = wired()
    with use.read() as tx:
        rows = tx.comedians.registry(after=_position(cursor), limit=limit + 1)
    page = page_of(
        rows,
        limit=limit,
        key=lambda entry: [entry.created_at.isoformat(), str(entry.comedian.id)],
    )
    creators = {entry.comedian.created_by for entry in page.items}
    contacts = use.contacts.of(each for each in creators if each is not None)
    return {
        "comedians": [_document(entry, contacts) for entry in page.items],
        "next_cursor": page.next_cursor,
    }


def _document(entry: RegistryEntry, contacts: dict[UUID, Contact | None]) -> dict[str, Any]:
    comedian = entry.comedian
    return {
        "id": comedian.id,
        "name": comedian.details.name,
        "bio": comedian.details.bio,
        "profile_image_url": comedian.details.profile_image_url,
        "created_at": entry.created_at,
        "creator": _creator(comedian.created_by, contacts),
        "count": {"show_comedians": entry.shows},
    }


def _creator(
    creator_id: UUID | None, contacts: dict[UUID, Contact | None]
) -> dict[str, Any] | None:
    if creator_id is None:
        return None
    contact = contacts.get(creator_id)
    if contact is None:
        return {"email": None, "organizer_profile": None}
    name = contact.organizer_name
    return {
        "email": contact.email,
        "organizer_profile": None if name is None else {"name": name},
    }


def _position(cursor: str | None) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    created_at, comedian_id = decode_cursor(cursor, stored_instant, UUID)
    return created_at, comedian_id

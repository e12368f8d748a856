"""What is stored about a person, for identity's export: GET /internal/people/{id}/export."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from marshmallow import fields

from catalog_service.api.rules import EXPORTERS
from catalog_service.api.wired import wired
from service_kit.access import allow
from service_kit.openapi import Schema, camel_case, instant
from service_kit.routes import Blueprint

blp = Blueprint("people", __name__, description="What is stored about a person")


def _section() -> fields.List[Any]:
    return fields.List(
        fields.Dict(keys=fields.String()),
        required=True,
        metadata={"description": "rows with all that is stored; amounts in paise"},
    )


class PersonExportResponse(Schema):
    shows = _section()
    places_on_bills = _section()
    comedians_created = _section()
    own_entry = _section()
    changes_requested = _section()
    media = _section()
    standing_as_creator = _section()


@blp.get("/internal/people/<uuid:person_id>/export")
@allow(EXPORTERS)
@blp.response(200, PersonExportResponse)
def get_person_export(person_id: UUID) -> dict[str, Any]:
    """Give identity what is stored about a person, every column of it"""
    with wired().read() as tx:
        sections = tx.people.stored_about(person_id)
    return {name: [_document(row) for row in rows] for name, rows in sections.items()}


def _document(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {camel_case(str(name)): _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, UUID) else value

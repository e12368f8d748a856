"""Routes: GET /internal/people/{id}/export."""

from typing import Any
from uuid import UUID

from marshmallow import fields

from config_service.api.rules import EXPORTERS
from config_service.api.wired import wired
from service_kit.access import allow
from service_kit.openapi import Instant, Schema
from service_kit.routes import Blueprint

blp = Blueprint("people", __name__, description="What is stored about a person")


class AuthoredVersionSchema(Schema):
    key = fields.String(required=True)
    version = fields.Integer(required=True)
    reason = fields.String(required=True)
    effective_from = Instant(required=True)
    created_at = Instant(required=True)


class PersonExportResponse(Schema):
    authored_versions = fields.List(fields.Nested(AuthoredVersionSchema), required=True)


@blp.get("/internal/people/<uuid:person_id>/export")
@allow(EXPORTERS)
@blp.response(200, PersonExportResponse)
def get_person_export(person_id: UUID) -> dict[str, Any]:
    """Give identity what is stored about a person: the settings that person has changed"""
    with wired().read() as tx:
        authored = tx.settings.authored_by(person_id)
    return {
        "authored_versions": [
            {
                "key": key,
                "version": version.number,
                "reason": version.reason,
                "effective_from": version.effective_from,
                "created_at": version.created_at,
            }
            for key, version in authored
        ]
    }

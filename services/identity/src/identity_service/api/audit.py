"""The audit log: GET /api/v1/admin/audit."""

from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import fields

from identity_service.api.rules import ADMIN
from identity_service.api.wired import wired
from identity_service.domain.audit import Action, AuditFilter
from service_kit.access import allow
from service_kit.openapi import Instant, Schema
from service_kit.pagination import PageArguments, decode_cursor, page_of
from service_kit.routes import Blueprint

blp = Blueprint("audit", __name__, description="Who did what")


class AuditArguments(PageArguments):
    action = fields.Enum(Action, by_value=True, load_default=None)
    actor_id = fields.UUID(load_default=None)
    subject_id = fields.UUID(load_default=None)
    since = Instant(
        data_key="from", load_default=None, metadata={"description": "inclusive", "type": "string"}
    )
    until = Instant(
        data_key="to", load_default=None, metadata={"description": "exclusive", "type": "string"}
    )


class AuditPersonSchema(Schema):
    reference = fields.String(
        required=True, metadata={"description": "the same person has the same one, even deleted"}
    )
    id = fields.String(required=True, allow_none=True)
    email = fields.String(required=True, allow_none=True)


class AuditEntrySchema(Schema):
    id = fields.String(required=True)
    action = fields.String(required=True, metadata={"enum": list(Action)})
    actor = fields.Nested(AuditPersonSchema, required=True, allow_none=True)
    subject = fields.Nested(AuditPersonSchema, required=True, allow_none=True)
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)
    request_id = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)


class AuditResponse(Schema):
    entries = fields.List(fields.Nested(AuditEntrySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blp.get("/api/v1/admin/audit")
@allow(ADMIN)
@blp.arguments(AuditArguments, location="query", as_kwargs=True)
@blp.response(200, AuditResponse)
def get_audit(
    limit: int,
    cursor: str | None,
    action: Action | None,
    actor_id: UUID | None,
    subject_id: UUID | None,
    since: datetime | None,
    until: datetime | None,
) -> dict[str, Any]:
    """Show what was done, newest first"""
    wanted = AuditFilter(action, actor_id, subject_id, since, until)
    before = decode_cursor(cursor, UUID)[0] if cursor else None
    with wired().read() as tx:
        found = tx.audit.entries(wanted, limit=limit + 1, before=before)
    page = page_of(found, limit=limit, key=lambda entry: [str(entry.id)])
    return {"entries": page.items, "next_cursor": page.next_cursor}

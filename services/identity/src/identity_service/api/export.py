"""Everything that is stored about the caller: GET /api/v1/profile/export."""

from datetime import UTC, datetime

from flask import Response, jsonify
from marshmallow import fields

from identity_service.api.deletion_schemas import ReasonSchema
from identity_service.api.percent import Percent
from identity_service.api.user_schema import ComedianProfileSchema, OrganizerProfileSchema
from identity_service.api.wired import wired
from identity_service.usecases.collect_export import collect_export
from service_kit.access import SIGNED_IN, allow, current_caller
from service_kit.openapi import Instant, Schema
from service_kit.rate_limits import Rate, limited
from service_kit.routes import Blueprint

blp = Blueprint("export", __name__, description="What is stored about the caller")

FILE_NAME = "comedy-connect.json"


class StoredAccountSchema(Schema):
    id = fields.String(required=True)
    role = fields.String(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    image = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    age = fields.Integer(required=True, allow_none=True)
    city = fields.String(required=True, allow_none=True)
    bio = fields.String(required=True, allow_none=True)
    language = fields.String(required=True, allow_none=True)
    interests = fields.List(fields.String(), required=True)
    watched_comedy = fields.Boolean(required=True, allow_none=True)
    heard_about_us = fields.String(required=True, allow_none=True)
    onboarded_at = Instant(required=True, allow_none=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


class StoredProviderAccountSchema(Schema):
    provider = fields.String(required=True)
    subject = fields.String(required=True)
    created_at = Instant(required=True)


class StoredSessionSchema(Schema):
    id = fields.String(required=True)
    created_at = Instant(required=True)
    last_seen_at = Instant(required=True)
    expires_at = Instant(required=True)
    ends_at = Instant(required=True)
    second_factor_at = Instant(required=True, allow_none=True)


class StoredApiTokenSchema(Schema):
    id = fields.String(required=True)
    name = fields.String(required=True)
    created_at = Instant(required=True)
    last_used_at = Instant(required=True, allow_none=True)
    expires_at = Instant(required=True)


class _StoredCreatorSchema(Schema):
    platform_fee_basis_points = Percent(
        data_key="customPlatformFee", required=True, allow_none=True
    )
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


class StoredOrganizerProfileSchema(OrganizerProfileSchema, _StoredCreatorSchema):
    pass


class StoredComedianProfileSchema(ComedianProfileSchema, _StoredCreatorSchema):
    pass


class StoredApprovalSchema(Schema):
    id = fields.String(required=True)
    number = fields.Integer(required=True)
    status = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)


class StoredStandingSchema(Schema):
    id = fields.String(required=True)
    allowed = fields.Boolean(required=True)
    version = fields.Integer(required=True)
    updated_at = Instant(required=True)


class StoredAdminPasswordSchema(Schema):
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


class StoredPasswordAttemptsSchema(Schema):
    failures = fields.Integer(required=True)
    last_at = Instant(required=True)
    blocked_until = Instant(required=True, allow_none=True)


class StoredDeletionSchema(Schema):
    state = fields.String(required=True)
    reasons = fields.List(fields.Nested(ReasonSchema), required=True)
    requested_at = Instant(required=True)
    decided_at = Instant(required=True, allow_none=True)
    ended_at = Instant(required=True, allow_none=True)
    moved_at = Instant(required=True)
    attempt = fields.Integer(required=True)


class StoredAuditEntrySchema(Schema):
    id = fields.String(required=True)
    action = fields.String(required=True)
    by_you = fields.Boolean(required=True)
    about_you = fields.Boolean(required=True)
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)
    request_id = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)


class IdentityExportSchema(Schema):
    account = fields.Nested(StoredAccountSchema, required=True)
    provider_accounts = fields.List(fields.Nested(StoredProviderAccountSchema), required=True)
    sessions = fields.List(fields.Nested(StoredSessionSchema), required=True)
    api_tokens = fields.List(fields.Nested(StoredApiTokenSchema), required=True)
    organizer_profile = fields.Nested(StoredOrganizerProfileSchema, required=True, allow_none=True)
    comedian_profile = fields.Nested(StoredComedianProfileSchema, required=True, allow_none=True)
    approvals = fields.List(fields.Nested(StoredApprovalSchema), required=True)
    standing = fields.Nested(StoredStandingSchema, required=True, allow_none=True)
    admin_password = fields.Nested(StoredAdminPasswordSchema, required=True, allow_none=True)
    password_attempts = fields.Nested(StoredPasswordAttemptsSchema, required=True, allow_none=True)
    account_deletions = fields.List(fields.Nested(StoredDeletionSchema), required=True)
    audit_entries = fields.List(
        fields.Nested(StoredAuditEntrySchema),
        required=True,
        metadata={"description": "newest first; of somebody else's state nothing is said"},
    )


class ExportResponse(Schema):
    exported_at = Instant(required=True)
    identity = fields.Nested(IdentityExportSchema, required=True)
    catalog = fields.Dict(required=True, metadata={"description": "as catalog tells it"})
    booking = fields.Dict(required=True, metadata={"description": "as booking tells it"})
    config = fields.Dict(required=True, metadata={"description": "as config tells it"})


@blp.get("/api/v1/profile/export")
@allow(SIGNED_IN)
@limited(Rate(of_person="5/minute"))
@blp.response(200, ExportResponse)
@blp.alt_response(503, description="a service is away: please try again")
def get_export() -> Response:
    """Give the caller everything that is stored about her in all services, without secrets"""
    use = wired()
    found = collect_export(use.read, use.holders, user_id=current_caller().id)
    response = jsonify(ExportResponse().dump({"exported_at": datetime.now(UTC), **found}))
    response.headers["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    response.headers["Cache-Control"] = "no-store"
    return response

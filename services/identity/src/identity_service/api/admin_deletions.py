"""All deletions of accounts, for administrators: GET, POST /api/v1/admin/account-deletions."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from identity_service.api.deletion_schemas import (
    STATES,
    DeletionSchema,
    StepSchema,
    deletion_view,
    state_on_the_wire,
    step_view,
)
from identity_service.api.profile_fields import Form
from identity_service.api.rules import ADMIN
from identity_service.api.second_factor import SuccessResponse
from identity_service.api.wired import wired
from identity_service.domain.deletions import Deletion, DeletionState
from identity_service.usecases.retry_deletion import retry_deletion
from service_kit.access import allow, current_caller
from service_kit.openapi import Instant, Schema
from service_kit.pagination import PageArguments, decode_cursor, page_of
from service_kit.routes import Blueprint

blp = Blueprint("admin-deletions", __name__, description="All deletions of accounts")


class DeletionWish(StrEnum):
    """What an admin wants to do about a deletion."""

    RETRY = "RETRY"


class ManagedStepSchema(StepSchema):
    failures = fields.Integer(required=True, metadata={"description": "attempts in vain"})
    problem = fields.String(
        required=True, allow_none=True, metadata={"description": "of the last one in vain"}
    )


class ManagedDeletionSchema(DeletionSchema):
    id = fields.String(required=True)
    user_id = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "null once the person is gone: nobody knows who it was"},
    )
    stuck = fields.Boolean(
        required=True, metadata={"description": "fails again and again, or stands still"}
    )
    attempt = fields.Integer(required=True, metadata={"description": "which run of the work"})
    moved_at = Instant(required=True)
    steps = fields.List(fields.Nested(ManagedStepSchema), required=True)


class DeletionsResponse(Schema):
    deletions = fields.List(fields.Nested(ManagedDeletionSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class DeletionsArguments(PageArguments):
    state = fields.String(load_default=None, validate=validate.OneOf(STATES))


class DeletionWishRequest(Form):
    deletion_id = fields.UUID(required=True)
    action = fields.Enum(DeletionWish, by_value=True, required=True)


@blp.get("/api/v1/admin/account-deletions")
@allow(ADMIN)
@blp.arguments(DeletionsArguments, location="query", as_kwargs=True)
@blp.response(200, DeletionsResponse)
def get_account_deletions(limit: int, cursor: str | None, state: str | None) -> dict[str, Any]:
    """List deletions: those first that somebody should see to, then the newest first"""
    after = decode_cursor(cursor, _flag, _instant, UUID) if cursor else None
    with wired().read() as tx:
        found = tx.deletions.page(
            limit=limit + 1,
            after=None if after is None else (after[0], after[1], after[2]),
            states=None if state is None else _states(state),
        )
    page = page_of(found, limit=limit, key=_sort_key)
    return {
        "deletions": [_view(deletion) for deletion in page.items],
        "next_cursor": page.next_cursor,
    }


@blp.post("/api/v1/admin/account-deletions")
@allow(ADMIN)
@blp.arguments(DeletionWishRequest)
@blp.response(200, SuccessResponse)
@blp.alt_response(404, description="`UNKNOWN_DELETION`")
@blp.alt_response(409, description="`DELETION_OVER`")
def post_account_deletion(body: dict[str, Any]) -> dict[str, Any]:
    """Have a deletion worked on again, from where it stands"""
    retry_deletion(wired().begin, saga_id=body["deletion_id"], admin_id=current_caller().id)
    return {"success": True}


def _states(on_the_wire: str) -> set[DeletionState]:
    return {state for state in DeletionState if state_on_the_wire(state) == on_the_wire}


def _view(deletion: Deletion) -> dict[str, Any]:
    return {
        **deletion_view(deletion),
        "id": deletion.saga_id,
        "user_id": deletion.person_id,
        "stuck": deletion.stuck,
        "attempt": deletion.attempt,
        "moved_at": deletion.moved_at,
        "steps": [
            {**step_view(step), "failures": step.failures, "problem": step.problem}
            for step in deletion.steps
        ],
    }


def _sort_key(deletion: Deletion) -> list[str]:
    return [str(deletion.stuck), deletion.requested_at.isoformat(), str(deletion.saga_id)]


def _flag(text: str) -> bool:
    if text not in {"True", "False"}:
        raise ValueError("no truth value")
    return text == "True"


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("no time zone")
    return instant

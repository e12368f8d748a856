"""Routes: POST /internal/deletions/{id}/fence · …/lift · …/purge · /internal/deletions/remains."""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from catalog_service.api.rules import PURGERS
from catalog_service.api.wired import wired
from catalog_service.domain.deletions import Deletion, DeletionState, FenceRefused
from catalog_service.usecases.fence_account import fence_account
from catalog_service.usecases.find_remains import find_remains
from catalog_service.usecases.lift_fence import lift_fence
from catalog_service.usecases.purge_person import purge_person
from catalog_service.usecases.remember_gone import remember_gone
from service_kit.access import allow
from service_kit.openapi import Schema
from service_kit.routes import Blueprint

MAX_HASHES = 1_000
ANOTHER = "`ANOTHER_DELETION`: another one has the person, or this one is somebody else's"
REFUSED = "REFUSED"  # nothing is fenced
PURGING = "PURGING"  # decided, but something is left: ask again

blp = Blueprint(
    "deletions", __name__, url_prefix="/internal/deletions", description="Deletion of accounts"
)


class PersonRequest(Schema):
    person_id = fields.UUID(required=True)


class ShowNameSchema(Schema):
    id = fields.String(required=True)
    title = fields.String(required=True)


class ReasonSchema(Schema):
    code = fields.String(
        required=True, metadata={"description": "`CHANGE_IN_PROGRESS`, `CANCELLATION_RUNNING`"}
    )
    message = fields.String(required=True, metadata={"description": "for the person"})
    shows = fields.List(fields.Nested(ShowNameSchema), required=True)


class DeletionResponse(Schema):
    state = fields.String(
        required=True, validate=validate.OneOf(("FENCED", REFUSED, "LIFTED", PURGING, "PURGED"))
    )
    reasons = fields.List(
        fields.Nested(ReasonSchema), required=True, metadata={"description": "of `REFUSED`"}
    )
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "what the purge came to, so far"},
    )


class RemainsRequest(Schema):
    person_hashes = fields.List(
        fields.String(validate=validate.Regexp(r"[0-9a-f]{64}\Z")),
        required=True,
        validate=validate.Length(1, MAX_HASHES),
        metadata={"description": "HMAC-SHA-256 of people's ids, in hexadecimal digits"},
    )


class RemainsResponse(Schema):
    person_ids = fields.List(fields.UUID(), required=True)


@blp.post("/<uuid:saga_id>/fence")
@allow(PURGERS)
@blp.arguments(PersonRequest, as_kwargs=True)
@blp.response(200, DeletionResponse)
@blp.alt_response(409, description=ANOTHER)
def post_fence(person_id: UUID, saga_id: UUID) -> dict[str, Any]:
    """Hide a person's shows while the deletion of the account is decided, or say why not"""
    outcome = fence_account(wired().begin, saga_id=saga_id, person_id=person_id)
    return _refused(outcome) if isinstance(outcome, FenceRefused) else _document(outcome)


@blp.post("/<uuid:saga_id>/lift")
@allow(PURGERS)
@blp.arguments(PersonRequest, as_kwargs=True)
@blp.response(200, DeletionResponse)
@blp.alt_response(409, description=ANOTHER)
def post_lift(person_id: UUID, saga_id: UUID) -> dict[str, Any]:
    """Have a person's shows as they were: the deletion came to nothing"""
    return _document(lift_fence(wired().begin, saga_id=saga_id, person_id=person_id))


@blp.post("/<uuid:saga_id>/purge")
@allow(PURGERS)
@blp.arguments(PersonRequest, as_kwargs=True)
@blp.response(200, DeletionResponse)
@blp.alt_response(409, description=ANOTHER)
@blp.alt_response(503, description="among others: the storage does not answer")
def post_purge(person_id: UUID, saga_id: UUID) -> dict[str, Any]:
    """Delete everything of a person for ever, as much as a moment allows; ask until `PURGED`"""
    use = wired()
    return _document(purge_person(use.begin, use.storage, saga_id=saga_id, person_id=person_id))


@blp.post("/remains")
@allow(PURGERS)
@blp.arguments(RemainsRequest, as_kwargs=True)
@blp.response(200, RemainsResponse)
def post_remains(person_hashes: list[str]) -> dict[str, Any]:
    """Say which of these people are stored here, whom a restored backup has brought back

    The others are remembered as gone.
    """
    use = wired()
    wanted = {bytes.fromhex(each) for each in person_hashes}
    found = find_remains(use.read, use.hashes, wanted=wanted)
    remember_gone(use.begin, person_hashes=wanted - set(map(use.hashes.of, found)))
    return {"person_ids": found}


def _document(deletion: Deletion) -> dict[str, Any]:
    is_under_way = deletion.is_decided and deletion.state is DeletionState.FENCED
    return {
        "state": PURGING if is_under_way else deletion.state.value,
        "reasons": [],
        "counts": deletion.counts or {},
    }


def _refused(refusal: FenceRefused) -> dict[str, Any]:
    reasons = [
        {
            "code": each.code,
            "message": each.message,
            "shows": [{"id": each.show_id, "title": each.title}],
        }
        for each in refusal.obstacles
    ]
    return {"state": REFUSED, "reasons": reasons, "counts": {}}

"""Routes: POST /internal/deletions/{id}/fence · …/lift · …/purge · /internal/deletions/remains."""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from config_service.api.rules import PURGERS
from config_service.api.wired import wired
from config_service.domain.deletions import Deletion, DeletionState
from config_service.usecases.fence_account import fence_account
from config_service.usecases.find_remains import find_remains
from config_service.usecases.lift_fence import lift_fence
from config_service.usecases.purge_person import purge_person
from config_service.usecases.remember_gone import remember_gone
from service_kit.access import allow
from service_kit.openapi import Schema
from service_kit.routes import Blueprint

MAX_HASHES = 1_000
ANOTHER = "`ANOTHER_DELETION`: another one has the person, or this one is somebody else's"

blp = Blueprint(
    "deletions", __name__, url_prefix="/internal/deletions", description="Deletion of accounts"
)


class PersonRequest(Schema):
    person_id = fields.UUID(required=True)


class ShowNameSchema(Schema):
    id = fields.String(required=True)
    title = fields.String(required=True)


class ReasonSchema(Schema):
    code = fields.String(required=True)
    message = fields.String(required=True)
    shows = fields.List(fields.Nested(ShowNameSchema), required=True)


class DeletionResponse(Schema):
    state = fields.String(
        required=True, validate=validate.OneOf([state.value for state in DeletionState])
    )
    reasons = fields.List(
        fields.Nested(ReasonSchema), required=True, metadata={"description": "always empty here"}
    )
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "what the purge came to"},
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
    """Remember that a person may be deleted; nothing else changes"""
    return _document(fence_account(wired().begin, saga_id=saga_id, person_id=person_id))


@blp.post("/<uuid:saga_id>/lift")
@allow(PURGERS)
@blp.arguments(PersonRequest, as_kwargs=True)
@blp.response(200, DeletionResponse)
@blp.alt_response(409, description=ANOTHER)
def post_lift(person_id: UUID, saga_id: UUID) -> dict[str, Any]:
    """Remember that a person's deletion came to nothing"""
    return _document(lift_fence(wired().begin, saga_id=saga_id, person_id=person_id))


@blp.post("/<uuid:saga_id>/purge")
@allow(PURGERS)
@blp.arguments(PersonRequest, as_kwargs=True)
@blp.response(200, DeletionResponse)
@blp.alt_response(409, description=ANOTHER)
def post_purge(person_id: UUID, saga_id: UUID) -> dict[str, Any]:
    """Forget which settings a person has changed, for ever"""
    return _document(purge_person(wired().begin, saga_id=saga_id, person_id=person_id))


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
    return {"state": deletion.state.value, "reasons": [], "counts": deletion.counts}

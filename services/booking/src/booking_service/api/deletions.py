"""Routes: POST /internal/deletions/{sagaId}/fence, /lift, /purge · /internal/deletions/remains."""

from uuid import UUID

from marshmallow import fields, validate

from booking_service.api.rules import PURGERS
from booking_service.api.wired import wired
from booking_service.domain.deletions import Answer, Obstacle, Outcome
from booking_service.usecases.fence_person import fence_person
from booking_service.usecases.find_remains import find_remains
from booking_service.usecases.lift_fence import lift_fence
from booking_service.usecases.purge_person import purge_person
from booking_service.usecases.remember_gone import remember_gone
from service_kit.access import allow
from service_kit.openapi import Schema
from service_kit.routes import Blueprint

blp = Blueprint("deletions", __name__, description="The part of booking in deleting an account")

MAX_HASHES = 1000

ANOTHER = "`ANOTHER_DELETION`: another saga has this person"


class PersonRequest(Schema):
    person_id = fields.UUID(required=True)


class ShowInTheWaySchema(Schema):
    id = fields.UUID(required=True)
    title = fields.String(required=True)


class ReasonSchema(Schema):
    code = fields.Enum(Obstacle, by_value=True, required=True)
    message = fields.String(required=True, metadata={"description": "for the person"})
    shows = fields.List(fields.Nested(ShowInTheWaySchema), required=True)


class DeletionResponse(Schema):
    state = fields.Enum(Outcome, by_value=True, required=True)
    reasons = fields.List(
        fields.Nested(ReasonSchema), required=True, metadata={"description": "if it is refused"}
    )
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "what the purge came to, for the receipt"},
    )


class RemainsRequest(Schema):
    person_hashes = fields.List(
        fields.String(validate=validate.Regexp(r"^[0-9a-f]{64}\Z")),
        required=True,
        validate=validate.Length(1, MAX_HASHES),
        metadata={"description": "HMAC-SHA-256 of ids, in hexadecimal digits"},
    )


class RemainsResponse(Schema):
    person_ids = fields.List(fields.UUID(), required=True)


@blp.post("/internal/deletions/<uuid:saga_id>/fence")
@allow(PURGERS)
@blp.arguments(PersonRequest, as_kwargs=True)
@blp.response(200, DeletionResponse)
@blp.alt_response(409, description=ANOTHER)
def post_fence(saga_id: UUID, person_id: UUID) -> Answer:
    """Have nothing of a person sold or booked, or say what has to be settled first"""
    return fence_person(wired().begin, saga_id=saga_id, person_id=person_id)


@blp.post("/internal/deletions/<uuid:saga_id>/lift")
@allow(PURGERS)
@blp.arguments(PersonRequest, as_kwargs=True)
@blp.response(200, DeletionResponse)
@blp.alt_response(409, description=ANOTHER)
def post_lift(saga_id: UUID, person_id: UUID) -> Answer:
    """Give a person whose deletion came to nothing everything back"""
    return lift_fence(wired().begin, saga_id=saga_id, person_id=person_id)


@blp.post("/internal/deletions/<uuid:saga_id>/purge")
@allow(PURGERS)
@blp.arguments(PersonRequest, as_kwargs=True)
@blp.response(200, DeletionResponse)
@blp.alt_response(409, description=ANOTHER)
def post_purge(saga_id: UUID, person_id: UUID) -> Answer:
    """Delete a person for good; while it is `PURGING`, ask again"""
    return purge_person(wired().begin, saga_id=saga_id, person_id=person_id)


@blp.post("/internal/deletions/remains")
@allow(PURGERS)
@blp.arguments(RemainsRequest, as_kwargs=True)
@blp.response(200, RemainsResponse)
def post_remains(person_hashes: list[str]) -> dict[str, list[UUID]]:
    """Find people who are gone and came back, as with the restore of a backup

    The others are remembered as gone.
    """
    use = wired()
    wanted = {bytes.fromhex(each) for each in person_hashes}
    found = find_remains(use.read, use.person_hashes, of=wanted)
    remember_gone(use.begin, person_hashes=wanted - set(map(use.person_hashes.of, found)))
    return {"person_ids": found}

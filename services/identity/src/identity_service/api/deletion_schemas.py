"""How deletions of accounts are shown."""

from typing import Any

from marshmallow import fields

from identity_service.domain.deletions import Deletion, DeletionState, DeletionStep, Reason
from service_kit.openapi import Instant, Schema

STATES = [state.value for state in DeletionState if state is not DeletionState.PURGED]


class ReasonShowSchema(Schema):
    id = fields.String(required=True)
    title = fields.String(required=True)


class ReasonSchema(Schema):
    code = fields.String(required=True)
    message = fields.String(required=True, metadata={"description": "for the person"})
    shows = fields.List(fields.Nested(ReasonShowSchema), required=True)


class StepSchema(Schema):
    name = fields.String(required=True)
    started_at = Instant(required=True)
    done_at = Instant(required=True, allow_none=True)


class DeletionSchema(Schema):
    state = fields.String(
        required=True,
        metadata={
            "enum": STATES,
            "description": "from PURGING on the account goes; REFUSED: everything is as before",
        },
    )
    requested_at = Instant(required=True)
    decided_at = Instant(required=True, allow_none=True)
    ended_at = Instant(required=True, allow_none=True)
    steps = fields.List(fields.Nested(StepSchema), required=True)
    reasons = fields.List(fields.Nested(ReasonSchema), required=True)
    receipt = fields.Dict(
        required=True,
        allow_none=True,
        keys=fields.String(),
        values=fields.Dict(keys=fields.String(), values=fields.Integer()),
        metadata={"description": "once COMPLETED: by service, how much was removed"},
    )


def state_on_the_wire(state: DeletionState) -> str:
    """Return the state as it is told: what is left of the work is nobody's business."""
    return (DeletionState.PURGING if state is DeletionState.PURGED else state).value


def deletion_view(deletion: Deletion) -> dict[str, Any]:
    """Return what the person, or whoever has the link, is shown."""
    return {
        "state": state_on_the_wire(deletion.state),
        "requested_at": deletion.requested_at,
        "decided_at": deletion.decided_at,
        "ended_at": deletion.ended_at,
        "steps": [step_view(step) for step in deletion.steps],
        "reasons": [reason_view(reason) for reason in deletion.reasons],
        "receipt": deletion.receipt,
    }


def step_view(step: DeletionStep) -> dict[str, Any]:
    """Return a step as everybody may see it."""
    return {"name": step.name, "started_at": step.started_at, "done_at": step.done_at}


def reason_view(reason: Reason) -> dict[str, Any]:
    """Return a reason as the person is told it."""
    return {"code": reason.code, "message": reason.message, "shows": list(reason.shows)}

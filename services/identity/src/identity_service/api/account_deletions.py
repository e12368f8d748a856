"""Deleting one's account.

POST, DELETE /api/v1/profile/delete · GET /api/v1/account-deletions/{token}
"""

from http import HTTPStatus
from typing import Any

from flask import Response, jsonify
from marshmallow import fields

from identity_service.api.cookies import Cookies
from identity_service.api.deletion_schemas import (
    STATES,
    DeletionSchema,
    ReasonSchema,
    deletion_view,
    reason_view,
    state_on_the_wire,
)
from identity_service.api.rules import IN_A_BROWSER_EVEN_IF_CLOSED
from identity_service.api.wired import wired
from identity_service.domain.deletions import DECIDED, Deletion, DeletionState
from identity_service.domain.errors import DeletionRefused, UnknownDeletion
from identity_service.domain.sign_in import hashed
from identity_service.usecases.await_deletion import await_deletion
from identity_service.usecases.request_deletion import request_deletion
from service_kit import deadline
from service_kit.access import EVERYONE, allow, current_person_id
from service_kit.openapi import Schema
from service_kit.rate_limits import Rate, limited
from service_kit.routes import Blueprint

blp = Blueprint("account-deletions", __name__, description="Deleting an account everywhere")

OUTCOME_SECONDS = 5.0
ANSWER_SECONDS = 0.5  # kept back of the caller's deadline to answer 202


class DeletionResponse(Schema):
    success = fields.Boolean(required=True, metadata={"description": "the account goes"})
    state = fields.String(required=True, metadata={"enum": STATES})
    status_url = fields.String(
        required=True, metadata={"description": "shows how far it is, without signing in"}
    )
    reasons = fields.List(
        fields.Nested(ReasonSchema), metadata={"description": "of a refusal (409)"}
    )


def _declared(route: Any) -> Any:
    """Say the same of both methods."""
    for say in (
        blp.alt_response(409, description="`DELETION_REFUSED`, with `reasons`"),
        blp.alt_response(403, description="`ADMIN_ACCOUNT`; scripts do not delete accounts"),
        blp.alt_response(
            202, schema=DeletionResponse, description="not decided yet: see `Location`"
        ),
        blp.response(200, DeletionResponse),
        allow(IN_A_BROWSER_EVEN_IF_CLOSED),
        limited(Rate(of_person="10/minute")),
    ):
        route = say(route)
    return route


@blp.post("/api/v1/profile/delete")
@_declared
def post_profile_delete() -> Response:
    """Delete the caller's account in all services; for good, once this says success"""
    return _delete()


@blp.delete("/api/v1/profile/delete")
@_declared
def delete_profile_delete() -> Response:
    """Delete the caller's account in all services; the same as POST"""
    return _delete()


@blp.get("/api/v1/account-deletions/<token>")
@allow(EVERYONE)
@blp.response(200, DeletionSchema)
@blp.alt_response(404, description="`UNKNOWN_DELETION`")
def get_account_deletion(token: str) -> Response:
    """Show how far a deletion is, to whoever has its link; in the end, the receipt"""
    with wired().read() as tx:
        deletion = tx.deletions.by_link(hashed(token))
    if deletion is None:
        raise UnknownDeletion
    response = jsonify(DeletionSchema().dump(deletion_view(deletion)))
    response.headers["Cache-Control"] = "no-store"
    return response


def _delete() -> Response:
    use = wired()
    saga_id = request_deletion(
        use.begin, use.person_hashes, use.deletion_links, user_id=current_person_id()
    )
    seconds = deadline.remaining(OUTCOME_SECONDS + ANSWER_SECONDS) - ANSWER_SECONDS
    deletion = await_deletion(use.read, saga_id=saga_id, seconds=max(seconds, 0))
    link = use.deletion_links.token(saga_id)
    status_url = f"{use.settings.public_url}/api/v1/account-deletions/{link}"
    if deletion.state is DeletionState.REFUSED:
        raise _refusal(deletion, status_url)
    return _answer(deletion, status_url)


def _answer(deletion: Deletion, status_url: str) -> Response:
    decided = deletion.state in DECIDED
    response = jsonify(
        DeletionResponse().dump(
            {
                "success": decided,
                "state": state_on_the_wire(deletion.state),
                "status_url": status_url,
            }
        )
    )
    response.headers["Cache-Control"] = "no-store"
    if decided:
        Cookies(wired().settings).drop_session(response)
    else:
        response.status_code = HTTPStatus.ACCEPTED
        response.headers["Location"] = status_url
    return response


def _refusal(deletion: Deletion, status_url: str) -> DeletionRefused:
    reasons = [ReasonSchema().dump(reason_view(reason)) for reason in deletion.reasons]
    message = " ".join(reason.message for reason in deletion.reasons)
    return DeletionRefused(
        message,
        {
            "success": False,
            "state": deletion.state.value,
            "statusUrl": status_url,
            "reasons": reasons,
        },
    )

"""Routes: POST /api/v1/checkins · GET /api/v1/checkins/keys."""

from http import HTTPStatus
from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from booking_service.api.idempotency import MAX_KEY_LENGTH
from booking_service.api.wired import wired
from booking_service.usecases.check_in import check_in
from service_kit.access import EVERYONE, SIGNED_IN, allow, current_caller
from service_kit.openapi import Instant, Rupees, Schema
from service_kit.problems import Problem
from service_kit.rate_limits import Rate, limited
from service_kit.routes import Blueprint
from service_kit.tokens import SECOND_FACTOR

blp = Blueprint("checkins", __name__, description="At the door")

ADMIN = "ADMIN"
MAX_CODE_LENGTH = 1000
KEYS_MAX_AGE_SECONDS = 60


class CheckinRequest(Schema):
    code = fields.String(required=True, validate=validate.Length(1, MAX_CODE_LENGTH))
    nonce = fields.String(
        required=True,
        validate=[validate.Length(1, MAX_KEY_LENGTH), validate.Regexp(r"^[\x21-\x7e]+\Z")],
        metadata={"description": "names this scan; repeat it to repeat the request"},
    )


class ShowAtDoorSchema(Schema):
    id = fields.UUID(required=True, attribute="show_id")
    title = fields.String(required=True)
    date = Instant(required=True, attribute="starts_at")
    venue = fields.String(required=True)


class AdmissionSchema(Schema):
    booking_id = fields.UUID(required=True, attribute="seat.booking_id")
    seat = fields.Integer(required=True, attribute="seat.number")
    quantity = fields.Integer(required=True, metadata={"description": "tickets of the booking"})
    show = fields.Nested(ShowAtDoorSchema, required=True)
    paid = fields.Boolean(required=True, attribute="seat.paid")
    amount_due = Rupees(
        required=True,
        attribute="due_paise",
        metadata={"description": "for the whole booking, at the venue; 0 if it is paid"},
    )
    admitted_at = Instant(required=True)


class CheckinResponse(Schema):
    success = fields.Boolean(required=True)
    admission = fields.Nested(AdmissionSchema, required=True)


class TicketKeySchema(Schema):
    kty = fields.Constant("OKP", required=True)
    crv = fields.Constant("Ed25519", required=True)
    x = fields.String(required=True)
    kid = fields.String(required=True)
    use = fields.Constant("sig", required=True)
    alg = fields.Constant("EdDSA", required=True)


class TicketKeysResponse(Schema):
    keys = fields.List(fields.Nested(TicketKeySchema), required=True)


@blp.post("/api/v1/checkins")
@allow(SIGNED_IN)
@limited(Rate(of_person="1200/minute"))  # all doors of a creator
@blp.arguments(CheckinRequest, as_kwargs=True)
@blp.response(201, CheckinResponse)
@blp.alt_response(403, description="`SECOND_FACTOR_REQUIRED` of admins")
@blp.alt_response(404, description="`TICKET_NOT_FOUND`: unknown, or of someone else's show")
@blp.alt_response(
    409,
    description="`ALREADY_ADMITTED` with `admittedAt`, `TICKET_CANCELLED`, `ADMISSION_NOT_OPEN`, "
    "`ACCOUNT_CLOSED`",
)
@blp.alt_response(422, description="`TICKET_INVALID`: forged, altered, replaced or unreadable")
def post_checkin(code: str, nonce: str) -> dict[str, Any]:
    """Let the holder of a ticket in, once; for the show's creator, revoked or not, and admins"""
    use, caller = wired(), current_caller()
    if caller.role == ADMIN and SECOND_FACTOR not in caller.amr:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "SECOND_FACTOR_REQUIRED",
            "Please confirm with your password first.",
        )
    admission = check_in(
        use.begin,
        use.ticket_keys,
        code=code,
        nonce=nonce,
        actor_id=caller.id,
        as_admin=caller.role == ADMIN,
    )
    return {"success": True, "admission": admission}


@blp.get("/api/v1/checkins/keys")
@allow(EVERYONE)
@blp.response(200, TicketKeysResponse)
def get_ticket_keys() -> Response:
    """List the public keys that prove tickets, as a JSON Web Key Set (docs/rules.md#tickets)"""
    answer = jsonify(wired().ticket_keys.jwks())
    answer.cache_control.public = True
    answer.cache_control.max_age = KEYS_MAX_AGE_SECONDS
    return answer

"""Routes: POST /api/v1/bookings/{id}/payment · POST /api/v1/webhooks/razorpay."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import request
from marshmallow import fields, validate

from booking_service.api.bookings import BookingResponse, own_booking
from booking_service.api.wired import wired
from booking_service.usecases.hear_of_payments import take_checkout, take_webhook
from service_kit.access import EVERYONE, SIGNED_IN, allow, current_caller
from service_kit.openapi import Schema
from service_kit.problems import Problem
from service_kit.rate_limits import CROWD, limited
from service_kit.routes import Blueprint

blp = Blueprint("payments", __name__, description="Paying online")

MAX_WEBHOOK_BYTES = 256 * 1024
MAX_TEXT = 200
SIGNATURE = "X-Razorpay-Signature"
SIGNED = {
    "in": "header",
    "name": SIGNATURE,
    "required": True,
    "schema": {"type": "string"},
    "description": "HMAC-SHA-256 of the body as it is",
}
EVENT = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}


class CheckoutRequest(Schema):
    razorpay_payment_id = fields.String(required=True, validate=validate.Length(1, MAX_TEXT))
    razorpay_signature = fields.String(required=True, validate=validate.Length(1, MAX_TEXT))


class CheckoutResponse(BookingResponse):
    success = fields.Boolean(required=True)


class WebhookResponse(Schema):
    received = fields.Boolean(required=True)


@blp.post("/api/v1/bookings/<uuid:booking_id>/payment")
@allow(SIGNED_IN)
@blp.arguments(CheckoutRequest, as_kwargs=True)
@blp.response(200, CheckoutResponse)
@blp.alt_response(404, description="`BOOKING_NOT_FOUND`: unknown, or someone else's")
@blp.alt_response(409, description="`NOTHING_TO_PAY`: it is not paid online")
@blp.alt_response(422, description="invalid fields, or `PAYMENT_NOT_VERIFIED`")
def post_payment(
    booking_id: UUID, razorpay_payment_id: str, razorpay_signature: str
) -> dict[str, Any]:
    """Hand in what the checkout answered; the booking is confirmed once the money is captured"""
    take_checkout(
        wired().desk,
        buyer_id=current_caller().id,
        booking_id=booking_id,
        payment_id=razorpay_payment_id,
        signature=razorpay_signature,
    )
    return {"success": True, "booking": own_booking(booking_id)}


@blp.post("/api/v1/webhooks/razorpay")
@allow(EVERYONE)
@limited(CROWD)  # the provider tells of everybody
@blp.doc(parameters=[SIGNED], requestBody=EVENT)
@blp.response(200, WebhookResponse)
@blp.alt_response(400, description="`WEBHOOK_NOT_VERIFIED`: the signature is wrong or missing")
@blp.alt_response(413, description="larger than 256 KiB")
def post_webhook() -> dict[str, bool]:
    """Take a webhook of the payment provider into the inbox"""
    if (request.content_length or 0) > MAX_WEBHOOK_BYTES:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "TOO_LARGE", "This is larger than any webhook."
        )
    body = request.stream.read(MAX_WEBHOOK_BYTES + 1)
    take_webhook(wired().desk, body=body, signature=request.headers.get(SIGNATURE, ""))
    return {"received": True}

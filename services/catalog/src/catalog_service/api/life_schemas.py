"""The bodies and answers of what happens in the life of a show."""

from marshmallow import fields, validate

from catalog_service.api.schemas import ChangeSchema, ShowSchema
from catalog_service.domain.links import MAX_LINK
from catalog_service.domain.shows import (
    MAX_CAPACITY,
    MAX_CITY,
    MAX_DESCRIPTION,
    MAX_DURATION_MINUTES,
    MAX_INSTAGRAM_URLS,
    MAX_PERFORMERS,
    MAX_PRICE_RUPEES,
    MAX_TITLE,
    MAX_VENUE,
    MAX_YOUTUBE_URLS,
)
from service_kit.openapi import Instant, Schema
from service_kit.texts import LongText, Text

MAX_REASON = 1000


class ShowEditRequest(Schema):
    title = Text(validate=validate.Length(1, MAX_TITLE))
    date = Instant()
    venue = Text(validate=validate.Length(1, MAX_VENUE))
    city = Text(validate=validate.Length(1, MAX_CITY))
    google_maps_link = Text(validate=validate.Length(1, MAX_LINK))
    ticket_price = fields.Integer(
        strict=True,
        validate=validate.Range(0, MAX_PRICE_RUPEES),
        metadata={"description": "whole rupees"},
    )
    total_tickets = fields.Integer(strict=True, validate=validate.Range(1, MAX_CAPACITY))
    duration_minutes = fields.Integer(strict=True, validate=validate.Range(1, MAX_DURATION_MINUTES))
    description = LongText(allow_none=True, validate=validate.Length(max=MAX_DESCRIPTION))
    poster_image_url = Text(allow_none=True, validate=validate.Length(1, MAX_LINK))
    youtube_urls = fields.List(
        Text(validate=validate.Length(1, MAX_LINK)), validate=validate.Length(max=MAX_YOUTUBE_URLS)
    )
    instagram_urls = fields.List(
        Text(validate=validate.Length(1, MAX_LINK)),
        validate=validate.Length(max=MAX_INSTAGRAM_URLS),
    )
    comedian_ids = fields.List(fields.UUID(), validate=validate.Length(max=MAX_PERFORMERS))
    version = fields.Integer(
        strict=True,
        metadata={"description": "of the show as it was loaded: 409 if it has another one now"},
    )


class CancelRequest(Schema):
    reason = LongText(
        required=True,
        validate=validate.Length(1, MAX_REASON),
        metadata={"description": "for the buyers"},
    )


class DeletedShowResponse(Schema):
    success = fields.Boolean(required=True)
    show = fields.Nested(
        ShowSchema, required=True, allow_none=True, metadata={"description": "null: it is gone"}
    )
    pending_change = fields.Nested(ChangeSchema, required=True, allow_none=True)


class CancellationSchema(Schema):
    state = fields.String(required=True, validate=validate.OneOf(["RUNNING", "COMPLETED"]))
    reason = fields.String(required=True)
    total = fields.Integer(required=True, metadata={"description": "bookings to cancel"})
    cancelled = fields.Integer(required=True)
    refunded = fields.Integer(required=True)
    failed = fields.Integer(required=True, metadata={"description": "refunds that need a person"})
    started_at = Instant(required=True)
    completed_at = Instant(required=True, allow_none=True)


class CancellationResponse(Schema):
    cancellation = fields.Nested(CancellationSchema, required=True)

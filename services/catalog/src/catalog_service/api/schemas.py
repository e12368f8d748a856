"""The bodies and answers of this service."""

from marshmallow import fields, validate

from catalog_service.api.inputs import FirstMoment, MomentAfter
from catalog_service.domain.changes import ChangeKind, ChangeStatus
from catalog_service.domain.discovery import ShowOrder
from catalog_service.domain.links import MAX_LINK
from catalog_service.domain.shows import (
    DEFAULT_CITY,
    DEFAULT_DURATION_MINUTES,
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
    ShowStatus,
)
from service_kit.openapi import Instant, Rupees, Schema
from service_kit.pagination import PageArguments
from service_kit.texts import LongText, Text

MODES = ("discovery", "public", "manage")
MAX_QUERY = 200


def _link() -> Text:
    return Text(validate=validate.Length(1, MAX_LINK))


class ShowArguments(PageArguments):
    mode = fields.String(load_default="discovery", validate=validate.OneOf(MODES))
    q = Text(load_default="", validate=validate.Length(max=MAX_QUERY))
    city = Text(load_default=None, validate=validate.Length(1, MAX_CITY))
    comedian_id = fields.UUID(load_default=None)
    starts_from = FirstMoment(data_key="from", load_default=None)
    starts_before = MomentAfter(data_key="to", load_default=None)
    min_price = fields.Integer(load_default=None, validate=validate.Range(0, MAX_PRICE_RUPEES))
    max_price = fields.Integer(load_default=None, validate=validate.Range(0, MAX_PRICE_RUPEES))
    sort = fields.Enum(ShowOrder, by_value=True, load_default=ShowOrder.DATE)


class ShowRequest(Schema):
    title = Text(required=True, validate=validate.Length(1, MAX_TITLE))
    date = Instant(required=True)
    venue = Text(required=True, validate=validate.Length(1, MAX_VENUE))
    city = Text(load_default=DEFAULT_CITY, validate=validate.Length(1, MAX_CITY))
    google_maps_link = Text(required=True, validate=validate.Length(1, MAX_LINK))
    ticket_price = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(0, MAX_PRICE_RUPEES),
        metadata={"description": "whole rupees"},
    )
    total_tickets = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, MAX_CAPACITY)
    )
    duration_minutes = fields.Integer(
        strict=True,
        load_default=DEFAULT_DURATION_MINUTES,
        validate=validate.Range(1, MAX_DURATION_MINUTES),
    )
    description = LongText(
        load_default=None, allow_none=True, validate=validate.Length(max=MAX_DESCRIPTION)
    )
    poster_image_url = Text(
        load_default=None, allow_none=True, validate=validate.Length(1, MAX_LINK)
    )
    youtube_urls = fields.List(
        _link(), load_default=list, validate=validate.Length(max=MAX_YOUTUBE_URLS)
    )
    instagram_urls = fields.List(
        _link(), load_default=list, validate=validate.Length(max=MAX_INSTAGRAM_URLS)
    )
    comedian_ids = fields.List(
        fields.UUID(), load_default=list, validate=validate.Length(max=MAX_PERFORMERS)
    )


class CreatorSchema(Schema):
    id = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    role = fields.String(required=True, allow_none=True)


class PerformerComedianSchema(Schema):
    id = fields.String(required=True)
    name = fields.String(required=True)
    bio = fields.String(required=True, allow_none=True)
    profile_image_url = fields.String(required=True, allow_none=True)
    youtube_urls = fields.List(fields.String(), required=True)
    instagram_urls = fields.List(fields.String(), required=True)


class PerformerSchema(Schema):
    order = fields.Integer(required=True)
    comedian = fields.Nested(PerformerComedianSchema, required=True)


class TicketInventorySchema(Schema):
    available = fields.Integer(required=True)


class CountSchema(Schema):
    bookings = fields.Integer(required=True, metadata={"description": "active bookings"})


class StatsSchema(Schema):
    tickets_sold = fields.Integer(required=True)
    revenue = Rupees(required=True)


class ShowSchema(Schema):
    id = fields.String(required=True)
    title = fields.String(required=True)
    description = fields.String(required=True, allow_none=True)
    date = Instant(required=True)
    venue = fields.String(required=True)
    city = fields.String(required=True)
    google_maps_link = fields.String(required=True)
    ticket_price = Rupees(required=True)
    total_tickets = fields.Integer(required=True)
    poster_image_url = fields.String(required=True, allow_none=True)
    duration_minutes = fields.Integer(required=True)
    is_published = fields.Boolean(required=True)
    status = fields.Enum(ShowStatus, by_value=True, required=True)
    is_disbursed = fields.Boolean(
        required=True,
        metadata={"description": "told to owner and admins, while booking says; else false"},
    )
    custom_platform_fee = fields.Float(
        required=True, allow_none=True, metadata={"description": "percent; owner and admins only"}
    )
    version = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "for `PUT`, so that no edit is lost; owner and admins only"},
    )
    youtube_urls = fields.List(fields.String(), required=True)
    instagram_urls = fields.List(fields.String(), required=True)
    created_at = Instant(required=True)
    created_by = fields.String(required=True)
    creator = fields.Nested(CreatorSchema, required=True)
    show_comedians = fields.List(fields.Nested(PerformerSchema), required=True)
    ticket_inventory = fields.Nested(TicketInventorySchema, required=True, allow_none=True)
    count = fields.Nested(CountSchema, required=True, allow_none=True, data_key="_count")
    stats = fields.Nested(
        StatsSchema, allow_none=True, metadata={"description": "in mode manage and for admins"}
    )


class ShowsResponse(Schema):
    shows = fields.List(fields.Nested(ShowSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ShowResponse(Schema):
    show = fields.Nested(ShowSchema, required=True)


class WishSchema(Schema):
    status = fields.Enum(ShowStatus, by_value=True)
    title = fields.String()
    description = fields.String(allow_none=True)
    date = Instant(attribute="starts_at")
    duration_minutes = fields.Integer()
    venue = fields.String()
    city = fields.String()
    google_maps_link = fields.String()
    ticket_price = Rupees(attribute="price_paise")
    total_tickets = fields.Integer(attribute="capacity")
    poster_image_url = fields.String(allow_none=True)
    youtube_urls = fields.List(fields.String())
    instagram_urls = fields.List(fields.String())
    comedian_ids = fields.List(fields.String(), attribute="bill")
    custom_platform_fee = fields.Float(allow_none=True)
    reason = fields.String()


class ChangeSchema(Schema):
    id = fields.String(required=True)
    kind = fields.Enum(ChangeKind, by_value=True, required=True)
    wish = fields.Nested(
        WishSchema, required=True, metadata={"description": "what is not in it stays as it is"}
    )
    status = fields.Enum(ChangeStatus, by_value=True, required=True)
    code = fields.String(required=True, allow_none=True, attribute="refusal_code")
    reason = fields.String(required=True, allow_none=True, attribute="refusal_text")
    requested_by = fields.String(
        required=True,
        allow_none=True,
        attribute="actor_id",
        metadata={"description": "null once that account is gone"},
    )
    requested_at = Instant(required=True)
    decided_at = Instant(required=True, allow_none=True)


class ChangedShowResponse(ShowResponse):
    pending_change = fields.Nested(ChangeSchema, required=True, allow_none=True)


class ChangesResponse(Schema):
    changes = fields.List(fields.Nested(ChangeSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ComedianSchema(PerformerComedianSchema):
    stage_name = fields.String(required=True, allow_none=True)
    promo_video_url = fields.String(required=True, allow_none=True)
    social_links = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    created_by = fields.String(required=True, allow_none=True)


class ComediansResponse(Schema):
    comedians = fields.List(fields.Nested(ComedianSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ComedianResponse(Schema):
    comedian = fields.Nested(ComedianSchema, required=True)

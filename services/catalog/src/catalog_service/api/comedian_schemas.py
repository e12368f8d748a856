"""The bodies and answers of the routes about comedians."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from catalog_service.api.schemas import MAX_QUERY, ComedianResponse, ShowSchema
from catalog_service.domain.comedians import MAX_BIO, MAX_NAME, MAX_SOCIAL_LINK
from catalog_service.domain.links import MAX_LINK
from catalog_service.domain.shows import MAX_INSTAGRAM_URLS, MAX_YOUTUBE_URLS
from service_kit.openapi import Flag, Schema
from service_kit.pagination import PageArguments
from service_kit.texts import LongText, Text

_LISTS = ("youtube_urls", "instagram_urls")


def _optional(max_length: int) -> Text:
    return Text(allow_none=True, validate=validate.Length(max=max_length))


def _links(at_most: int) -> fields.List[str]:
    link = Text(validate=validate.Length(1, MAX_LINK))
    return fields.List(link, allow_none=True, validate=validate.Length(max=at_most))


class ComediansArguments(PageArguments):
    q = Text(load_default="", validate=validate.Length(max=MAX_QUERY))


class SocialLinksSchema(Schema):
    instagram = _optional(MAX_SOCIAL_LINK)
    twitter = _optional(MAX_SOCIAL_LINK)
    youtube = _optional(MAX_SOCIAL_LINK)


class ComedianChangesRequest(Schema):
    name = Text(validate=validate.Length(1, MAX_NAME))
    stage_name = _optional(MAX_NAME)
    bio = LongText(allow_none=True, validate=validate.Length(max=MAX_BIO))
    profile_image_url = _optional(MAX_LINK)
    promo_video_url = _optional(MAX_LINK)
    social_links = fields.Nested(SocialLinksSchema, allow_none=True)
    youtube_urls = _links(MAX_YOUTUBE_URLS)
    instagram_urls = _links(MAX_INSTAGRAM_URLS)


class ComedianRequest(ComedianChangesRequest):
    name = Text(required=True, validate=validate.Length(1, MAX_NAME))
    is_own = Flag(
        load_default=False,
        metadata={"description": "the caller, a comedian, is who this entry is about"},
    )


class ComedianPageResponse(ComedianResponse):
    shows = fields.List(
        fields.Nested(ShowSchema),
        required=True,
        metadata={"description": "upcoming, by date; further ones: `GET /shows?comedianId=`"},
    )


class DeletedResponse(Schema):
    success = fields.Boolean(required=True)


def changes_from(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes of an entry that a body asks for; null and empty texts clear a field."""
    changes = {name: value or None for name, value in body.items()}
    for name in _LISTS:
        if name in changes:
            changes[name] = tuple(changes[name] or ())
    if "social_links" in changes:
        given = changes["social_links"] or {}
        changes["social_links"] = {network: name for network, name in given.items() if name}
    return changes

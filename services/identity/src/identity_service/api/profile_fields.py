"""The fields of creators' profiles, in applications and in the flat form alike."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import EXCLUDE, ValidationError, fields, pre_load, validate

from identity_service.api.plain_text import long_text, plain_text
from identity_service.domain.media_links import (
    MAX_INSTAGRAM_URLS,
    MAX_LINK,
    MAX_YOUTUBE_URLS,
    is_instagram,
    is_name_or_page,
    is_youtube,
)
from identity_service.domain.people import links_with_handles
from service_kit.openapi import Schema
from service_kit.texts import LongText, Text

MAX_TEXT, MAX_LONG_TEXT = 200, 2000
PHONE_NUMBER = re.compile(r"[0-9]{10}\Z")


def _require_name_or_page(text: str) -> None:
    if not is_name_or_page(text):
        raise ValidationError("Give a name or an https link.")


class Form(Schema):
    """A form of the front end: a field that was left empty is null, or no entry of its list."""

    @pre_load
    def empty_is_null(self, body: Any, **_kwargs: Any) -> Any:
        """Read empty texts as null."""
        if not isinstance(body, dict):
            return body
        return {name: _without_empty(value) for name, value in body.items()}


def social_link() -> Text:
    """Return the field for a name at a social network, or the page there, which can be cleared."""
    return plain_text(MAX_TEXT, _require_name_or_page, allow_none=True)


class SocialLinksSchema(Form):
    instagram = social_link()
    twitter = social_link()
    youtube = social_link()


class LenientSocialLinksSchema(SocialLinksSchema):
    class Meta:
        unknown = EXCLUDE


def optional_text() -> Text:
    """Return the field for a text of one line that can be cleared."""
    return plain_text(MAX_TEXT, allow_none=True)


def optional_long_text(max_length: int = MAX_LONG_TEXT) -> LongText:
    """Return the field for a text of several lines that can be cleared."""
    return long_text(max_length, allow_none=True)


def phone_number() -> fields.String:
    """Return the field for an Indian mobile number without its prefix, which can be cleared."""
    return fields.String(
        allow_none=True, validate=validate.Regexp(PHONE_NUMBER, error="Ten digits are needed.")
    )


def social_links(schema: type[SocialLinksSchema] = SocialLinksSchema) -> fields.Nested:
    """Return the field for names at social networks."""
    return fields.Nested(schema, allow_none=True)


def youtube_urls() -> fields.List[str]:
    """Return the field for links to videos."""
    return _links(is_youtube, MAX_YOUTUBE_URLS, "A link to a YouTube video is needed.")


def instagram_urls() -> fields.List[str]:
    """Return the field for links to posts and reels."""
    return _links(is_instagram, MAX_INSTAGRAM_URLS, "A link to an Instagram post is needed.")


def changes_from(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes of a profile that a body with the fields above asks for."""
    changes = dict(body)
    for name in ("youtube_urls", "instagram_urls"):
        if name in changes:
            changes[name] = tuple(changes[name] or ())
    if "social_links" in changes:
        changes["social_links"] = links_with_handles(changes["social_links"], {})
    return changes


def _links(accepts: Callable[[str], bool], at_most: int, error: str) -> fields.List[str]:
    link = fields.String(validate=[validate.Length(max=MAX_LINK), _is(accepts, error)])
    return fields.List(link, allow_none=True, validate=validate.Length(max=at_most))


def _is(accepts: Callable[[str], bool], error: str) -> Callable[[str], None]:
    def check(link: str) -> None:
        if not accepts(link):
            raise ValidationError(error)

    return check


def _without_empty(value: Any) -> Any:
    if isinstance(value, list):
        return [item for item in value if not _is_empty(item)]
    return None if _is_empty(value) else value


def _is_empty(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()

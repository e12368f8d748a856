"""Comedians in the directory, and the bill of a show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from catalog_service.domain.errors import InvalidFields
from catalog_service.domain.links import is_image, is_instagram, is_name_or_page, is_youtube

MAX_NAME = 120
FORMER_PERFORMER = "Former performer"  # whose account is gone
MAX_BIO = 5_000
MAX_SOCIAL_LINK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ComedianDetails:
    """What the directory says about a comedian."""

    name: str
    stage_name: str | None = None
    bio: str | None = None
    profile_image_url: str | None = None
    promo_video_url: str | None = None
    social_links: Mapping[str, str] = field(default_factory=dict)
    youtube_urls: tuple[str, ...] = ()
    instagram_urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comedian:
    """A directory entry."""

    id: UUID
    details: ComedianDetails
    created_by: UUID | None  # None once that account is gone
    user_id: UUID | None  # whose own entry this is, if the comedian has an account


@dataclass(frozen=True, slots=True)
class Performer:
    """A comedian's place on the bill of a show."""

    order: int  # from 0
    comedian: Comedian


@dataclass(frozen=True, slots=True)
class RegistryEntry:
    """A directory entry as admins see it, with the number of shows it is on the bill of."""

    comedian: Comedian
    created_at: datetime
    shows: int


def check_comedian(details: ComedianDetails) -> None:
    """Check the links of a directory entry.

    Raises:
        InvalidFields: names every field that breaks a rule, as the API calls it.
    """
    errors: dict[str, list[str]] = {}
    if details.profile_image_url is not None and not is_image(details.profile_image_url):
        errors["profileImageUrl"] = ["Give an uploaded image or an https link."]
    if details.promo_video_url is not None and not is_youtube(details.promo_video_url):
        errors["promoVideoUrl"] = ["Give a link to a YouTube video."]
    if not all(map(is_youtube, details.youtube_urls)):
        errors["youtubeUrls"] = ["Give a link to a YouTube video."]
    if not all(map(is_instagram, details.instagram_urls)):
        errors["instagramUrls"] = ["Give a link to an Instagram post or reel."]
    if not all(map(is_name_or_page, details.social_links.values())):
        errors["socialLinks"] = ["Give a name or an https link."]
    if errors:
        raise InvalidFields(errors)

"""Shows, as drafted by their creators and seen by everybody (docs/rules.md#shows)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from catalog_service.domain.errors import InvalidFields
from catalog_service.domain.links import is_google_maps, is_image, is_instagram, is_youtube

DEFAULT_CITY = "Hyderabad"
DEFAULT_DURATION_MINUTES = 60

MAX_TITLE = 200
MAX_DESCRIPTION = 5_000
MAX_VENUE = 200
MAX_CITY = 100
MAX_PRICE_RUPEES = 1_000_000
MAX_CAPACITY = 100_000
MAX_DURATION_MINUTES = 1_440
MAX_YOUTUBE_URLS = 1
MAX_INSTAGRAM_URLS = 2
MAX_PERFORMERS = 50
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
MAX_AHEAD = timedelta(days=5 * 365)
IMPOSSIBLE_DATE = "The date must be within the next five years."


class ShowStatus(StrEnum):
    """Where a show is in its life; that it has ended is a matter of the clock."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowDetails:
    """What a creator says about a show."""

    title: str
    starts_at: datetime
    venue: str
    google_maps_link: str
    price_paise: int
    capacity: int
    city: str = DEFAULT_CITY
    duration_minutes: int = DEFAULT_DURATION_MINUTES
    description: str | None = None
    poster_image_url: str | None = None
    youtube_urls: tuple[str, ...] = ()
    instagram_urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """A show as it is stored; a change that has not been decided is not part of it."""

    id: UUID
    details: ShowDetails
    status: ShowStatus
    creator_id: UUID
    platform_fee_basis_points: int | None  # overrides the creator's and the platform's rate
    version: int  # of everything that the sales side knows about the show
    created_at: datetime
    updated_at: datetime


def has_ended(show: Show, *, now: datetime) -> bool:
    """Return whether a show is over."""
    return show.details.starts_at <= now - timedelta(minutes=show.details.duration_minutes)


def check_details(details: ShowDetails, *, now: datetime) -> None:
    """Check what the shape of a request cannot tell.

    Raises:
        InvalidFields: names every field that breaks a rule, as the API calls it.
    """
    if errors := broken_rules(details, now=now):
        raise InvalidFields(errors)


def broken_rules(details: ShowDetails, *, now: datetime) -> dict[str, list[str]]:
    """Return messages by field, as the API calls it, for all that breaks a rule."""
    errors: dict[str, list[str]] = {}
    if details.starts_at <= now:
        errors["date"] = ["The date must be in the future."]
    if not EARLIEST < details.starts_at < now + MAX_AHEAD:
        errors["date"] = [IMPOSSIBLE_DATE]
    if not is_google_maps(details.google_maps_link):
        errors["googleMapsLink"] = ["Give a link to a place on Google Maps."]
    if details.poster_image_url is not None and not is_image(details.poster_image_url):
        errors["posterImageUrl"] = ["Give an uploaded image or an https link."]
    if not all(map(is_youtube, details.youtube_urls)):
        errors["youtubeUrls"] = ["Give a link to a YouTube video."]
    if not all(map(is_instagram, details.instagram_urls)):
        errors["instagramUrls"] = ["Give a link to an Instagram post or reel."]
    return errors

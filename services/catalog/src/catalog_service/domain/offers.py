"""What the sales side is told about a show."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from catalog_service.domain.shows import Show, ShowStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A show as booking sells it; of two versions the higher one counts, whichever comes first."""

    show_id: UUID
    version: int
    creator_id: UUID
    title: str
    venue: str
    city: str
    poster_image_url: str | None
    starts_at: datetime
    duration_minutes: int
    capacity: int
    price_paise: int
    platform_fee_basis_points: int | None
    on_sale: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why booking did not take an offer, and the version it holds if that is known."""

    code: str
    text: str
    held_version: int = 0


OUTDATED = "OUTDATED"
VERSION_CONFLICT = "VERSION_CONFLICT"


def offer_of(show: Show) -> Offer:
    """Return the offer that goes with a show: open if and only if the show is published."""
    details = show.details
    return Offer(
        show_id=show.id,
        version=show.version,
        creator_id=show.creator_id,
        title=details.title,
        venue=details.venue,
        city=details.city,
        poster_image_url=details.poster_image_url,
        starts_at=details.starts_at,
        duration_minutes=details.duration_minutes,
        capacity=details.capacity,
        price_paise=details.price_paise,
        platform_fee_basis_points=show.platform_fee_basis_points,
        on_sale=show.status is ShowStatus.PUBLISHED,
    )

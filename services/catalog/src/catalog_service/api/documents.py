"""Shows and comedians as answers show them, with what other services know about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from catalog_service.clients.booking import Availability, Sales
from catalog_service.clients.identity import Person
from catalog_service.domain.actors import Actor
from catalog_service.domain.comedians import Comedian, Performer
from catalog_service.domain.shows import Show, ShowStatus
from catalog_service.wiring import Wiring

BASIS_POINTS_PER_PERCENT = 100
NOTHING_SOLD = Sales(tickets_sold=0, revenue_paise=0, disbursed=False)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What belongs to some shows and is kept elsewhere; absent: unknown at the moment."""

    bills: Mapping[UUID, Sequence[Performer]]
    availability: Mapping[UUID, Availability | None]
    people: Mapping[UUID, Person | None]
    sales: Mapping[UUID, Sales | None]  # of the viewer's own shows


def show_documents(
    use: Wiring, shows: Sequence[Show], viewer: Actor | None
) -> list[dict[str, Any]]:
    """Return shows as one viewer sees them, asking each other service at most once."""
    if not shows:
        return []
    show_ids = [show.id for show in shows]
    with use.read() as tx:
        bills = tx.comedians.bills(show_ids)
    own = [show.id for show in shows if _is_own(show, viewer)]
    around = Surroundings(
        bills=bills,
        availability=use.availability.of_shows(show_ids),
        people=use.people.of(show.creator_id for show in shows),
        sales=use.sales.of_shows(own) if own else {},
    )
    return [_show_document(show, around, viewer) for show in shows]


def with_stats(shows: Sequence[Show], documents: Sequence[dict[str, Any]], use: Wiring) -> None:
    """Add to documents what booking says of the shows' sales, null while it cannot be asked."""
    sales = use.sales.of_shows(show.id for show in shows)
    for show, document in zip(shows, documents, strict=True):
        sold = sales.get(show.id) or NOTHING_SOLD
        stats = {"tickets_sold": sold.tickets_sold, "revenue": sold.revenue_paise}
        document["stats"] = stats if show.id in sales else None


def comedian_document(comedian: Comedian) -> dict[str, Any]:
    """Return a directory entry."""
    details = comedian.details
    return {
        "id": comedian.id,
        "name": details.name,
        "stage_name": details.stage_name,
        "bio": details.bio,
        "profile_image_url": details.profile_image_url,
        "promo_video_url": details.promo_video_url,
        "social_links": details.social_links,
        "youtube_urls": details.youtube_urls,
        "instagram_urls": details.instagram_urls,
        "created_by": comedian.created_by,
    }


def _show_document(show: Show, around: Surroundings, viewer: Actor | None) -> dict[str, Any]:
    details = show.details
    return {
        "id": show.id,
        "title": details.title,
        "description": details.description,
        "date": details.starts_at,
        "venue": details.venue,
        "city": details.city,
        "google_maps_link": details.google_maps_link,
        "ticket_price": details.price_paise,
        "total_tickets": details.capacity,
        "poster_image_url": details.poster_image_url,
        "duration_minutes": details.duration_minutes,
        "is_published": show.status is ShowStatus.PUBLISHED,
        "status": show.status,
        "is_disbursed": (around.sales.get(show.id) or NOTHING_SOLD).disbursed,
        "custom_platform_fee": _platform_fee_percent(show, viewer),
        "version": show.version if _is_own(show, viewer) else None,
        "youtube_urls": details.youtube_urls,
        "instagram_urls": details.instagram_urls,
        "created_at": show.created_at,
        "created_by": show.creator_id,
        "creator": _creator(show.creator_id, around.people.get(show.creator_id)),
        "show_comedians": [
            {"order": place.order, "comedian": comedian_document(place.comedian)}
            for place in around.bills[show.id]
        ],
        **_sales(show.id, around.availability),
    }


def _is_own(show: Show, viewer: Actor | None) -> bool:
    return viewer is not None and (viewer.is_admin or viewer.id == show.creator_id)


def _platform_fee_percent(show: Show, viewer: Actor | None) -> float | None:
    return percent(show.platform_fee_basis_points) if _is_own(show, viewer) else None


def percent(basis_points: int | None) -> float | None:
    """Return a rate as the API writes it."""
    return None if basis_points is None else basis_points / BASIS_POINTS_PER_PERCENT


def _creator(creator_id: UUID, person: Person | None) -> dict[str, Any]:
    return {
        "id": creator_id,
        "name": person.name if person else None,
        "role": person.public_role if person else None,
    }


def _sales(show_id: UUID, availability: Mapping[UUID, Availability | None]) -> dict[str, Any]:
    figures = availability.get(show_id)
    if figures is not None:
        return {
            "ticket_inventory": {"available": figures.available},
            "count": {"bookings": figures.active_bookings},
        }
    nothing_sold = {"bookings": 0} if show_id in availability else None
    return {"ticket_inventory": None, "count": nothing_sold}

"""Routes below /api/v1/shows: GET, POST · GET /{id} · POST /{id}/publish · GET /{id}/changes."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from catalog_service.api.documents import show_documents, with_stats
from catalog_service.api.rules import CREATORS, current_actor, current_actor_or_none
from catalog_service.api.schemas import (
    ChangedShowResponse,
    ChangesResponse,
    ShowArguments,
    ShowRequest,
    ShowResponse,
    ShowsResponse,
)
from catalog_service.api.wired import wired
from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeStatus, ShowChange
from catalog_service.domain.discovery import ShowFilter, ShowOrder, ShowPosition
from catalog_service.domain.errors import ChangeRefused
from catalog_service.domain.shows import ShowDetails
from catalog_service.repositories.shows import position_of
from catalog_service.usecases.await_change import await_change
from catalog_service.usecases.create_show import create_show
from catalog_service.usecases.publish_show import publish_show
from service_kit import deadline
from service_kit.access import EVERYONE, SIGNED_IN, allow
from service_kit.pagination import PageArguments, decode_cursor, page_of
from service_kit.problems import Problem
from service_kit.routes import Blueprint

PAISE_PER_RUPEE = 100
OUTCOME_SECONDS = 3.0
ANSWER_SECONDS = 0.5  # kept back of the caller's deadline to answer 202

blp = Blueprint("shows", __name__, url_prefix="/api/v1/shows", description="Shows")


@blp.get("")
@allow(EVERYONE)
@blp.arguments(ShowArguments, location="query")
@blp.response(200, ShowsResponse)
@blp.alt_response(401, description="`mode=manage` is for signed-in people")
def get_shows(arguments: dict[str, Any]) -> dict[str, Any]:
    """List shows: upcoming ones for everybody, or all of one's own (`mode=manage`)"""
    viewer = current_actor_or_none()
    order, limit = arguments["sort"], arguments["limit"]
    after = _position(arguments["cursor"], order)
    wanted = _filter(arguments)
    use = wired()
    with use.read() as tx:
        if arguments["mode"] == "manage":
            creator_id = _signed_in(viewer).id
            rows = tx.shows.of_creator(
                creator_id, wanted, order=order, after=after, limit=limit + 1
            )
        else:
            rows = tx.shows.upcoming(
                wanted, now=use.now(), order=order, after=after, limit=limit + 1
            )
    page = page_of(rows, limit=limit, key=lambda show: _cursor_key(position_of(show, order)))
    documents = show_documents(use, page.items, viewer)
    if arguments["mode"] == "manage":
        with_stats(page.items, documents, use)
    return {"shows": documents, "next_cursor": page.next_cursor}


@blp.get("/<uuid:show_id>")
@allow(EVERYONE)
@blp.response(200, ShowResponse)
@blp.alt_response(404, description="unknown, or neither published nor one's own")
def get_show(show_id: UUID) -> dict[str, Any]:
    """Show one show"""
    use, viewer = wired(), current_actor_or_none()
    with use.read() as tx:
        show = tx.shows.visible_to(viewer, show_id)
    return {"show": show_documents(use, [show], viewer)[0]}


@blp.post("")
@allow(CREATORS)
@blp.arguments(ShowRequest)
@blp.response(201, ShowResponse)
@blp.alt_response(422, description="`INVALID_FIELDS`")
def post_show(body: dict[str, Any]) -> dict[str, Any]:
    """Create a show; it is a draft until it is published"""
    use, actor = wired(), current_actor()
    show = create_show(
        use.begin,
        use.people,
        actor=actor,
        details=_details(body),
        comedian_ids=body["comedian_ids"],
        now=use.now(),
    )
    return {"show": show_documents(use, [show], actor)[0]}


@blp.post("/<uuid:show_id>/publish")
@allow(CREATORS)
@blp.response(200, ChangedShowResponse)
@blp.alt_response(202, schema=ChangedShowResponse, description="not decided yet: `pendingChange`")
@blp.alt_response(404, description="unknown, or not one's own")
@blp.alt_response(
    409,
    description="`ALREADY_PUBLISHED`, `SHOW_IN_THE_PAST`, `SHOW_CANCELLED`, `CHANGE_IN_PROGRESS`, "
    "`CREATOR_NOT_ALLOWED`",
)
def post_publish(show_id: UUID) -> tuple[dict[str, Any], int]:
    """Publish a show; on return tickets are on sale, unless the answer is 202"""
    use, actor = wired(), current_actor()
    change = publish_show(use.begin, actor=actor, show_id=show_id, now=use.now())
    return _outcome(change, actor)


@blp.get("/<uuid:show_id>/changes")
@allow(SIGNED_IN)
@blp.arguments(PageArguments, location="query")
@blp.response(200, ChangesResponse)
@blp.alt_response(404, description="unknown, or not one's own")
def get_changes(arguments: dict[str, Any], show_id: UUID) -> dict[str, Any]:
    """List the guarded changes of one's own show with their outcome, newest first"""
    limit = arguments["limit"]
    before = _version(arguments["cursor"])
    with wired().read() as tx:
        show = tx.shows.editable_by(current_actor(), show_id)
        rows = tx.changes.of_show(show.id, before_version=before, limit=limit + 1)
    page = page_of(rows, limit=limit, key=lambda change: [str(change.version)])
    return {"changes": page.items, "next_cursor": page.next_cursor}


def _outcome(change: ShowChange, actor: Actor) -> tuple[dict[str, Any], int]:
    """Answer a guarded change: done, refused, or not decided in time."""
    use = wired()
    seconds = max(deadline.remaining(OUTCOME_SECONDS + ANSWER_SECONDS) - ANSWER_SECONDS, 0.0)
    change = await_change(use.read, change_id=change.id, seconds=seconds)
    if change.status is ChangeStatus.REFUSED:
        raise ChangeRefused(change.refusal_code or "", change.refusal_text or "")
    with use.read() as tx:
        show = tx.shows.editable_by(actor, change.show_id)
    pending = change if change.status is ChangeStatus.OPEN else None
    answer = {"show": show_documents(use, [show], actor)[0], "pending_change": pending}
    return answer, HTTPStatus.OK if pending is None else HTTPStatus.ACCEPTED


def _signed_in(viewer: Actor | None) -> Actor:
    if viewer is None:
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "UNAUTHENTICATED",
            "Please sign in first.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return viewer


def _details(body: dict[str, Any]) -> ShowDetails:
    return ShowDetails(
        title=body["title"],
        description=body["description"] or None,
        starts_at=body["date"],
        duration_minutes=body["duration_minutes"],
        venue=body["venue"],
        city=body["city"],
        google_maps_link=body["google_maps_link"],
        price_paise=body["ticket_price"] * PAISE_PER_RUPEE,
        capacity=body["total_tickets"],
        poster_image_url=body["poster_image_url"],
        youtube_urls=tuple(body["youtube_urls"]),
        instagram_urls=tuple(body["instagram_urls"]),
    )


def _filter(arguments: dict[str, Any]) -> ShowFilter:
    return ShowFilter(
        text=arguments["q"] or None,
        city=arguments["city"],
        comedian_id=arguments["comedian_id"],
        starts_from=arguments["starts_from"],
        starts_before=arguments["starts_before"],
        min_price_paise=_paise(arguments["min_price"]),
        max_price_paise=_paise(arguments["max_price"]),
    )


def _paise(whole_rupees: int | None) -> int | None:
    return None if whole_rupees is None else whole_rupees * PAISE_PER_RUPEE


def _cursor_key(position: ShowPosition) -> list[str]:
    value = position.value
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return [text, str(position.show_id)]


def _position(cursor: str | None, order: ShowOrder) -> ShowPosition | None:
    by_price = order in {ShowOrder.PRICE, ShowOrder.PRICE_DESCENDING}
    read_value: Callable[[str], datetime | int] = _bounded if by_price else _instant
    return None if cursor is None else ShowPosition(*decode_cursor(cursor, read_value, UUID))


def _version(cursor: str | None) -> int | None:
    return None if cursor is None else decode_cursor(cursor, _bounded)[0]


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return moment


def _bounded(text: str) -> int:
    """Return a number that fits into its column."""
    if not (text.isascii() and text.isdigit() and len(text) < len(str(2**63))):
        raise ValueError("not a number of ours")
    return int(text)

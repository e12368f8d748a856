"""Routes below /api/v1/shows: POST · POST /{id}/publish · GET /{id}/changes."""

from typing import Any
from uuid import UUID

from catalog_service.api.documents import show_documents
from catalog_service.api.inputs import stored_number
from catalog_service.api.outcomes import change_document, changed
from catalog_service.api.rules import CREATORS, actor_for, current_actor
from catalog_service.api.schemas import (
    ChangedShowResponse,
    ChangesResponse,
    ShowRequest,
    ShowResponse,
)
from catalog_service.api.wired import wired
from catalog_service.domain.shows import ShowDetails
from catalog_service.usecases.create_show import create_show
from catalog_service.usecases.publish_show import publish_show
from service_kit.access import SIGNED_IN, allow
from service_kit.pagination import PageArguments, decode_cursor, page_of
from service_kit.routes import Blueprint

PAISE_PER_RUPEE = 100

blp = Blueprint("shows", __name__, url_prefix="/api/v1/shows", description="Shows")


@blp.post("")
@allow(CREATORS)
@blp.arguments(ShowRequest)
@blp.response(201, ShowResponse)
@blp.alt_response(409, description="`ACCOUNT_CLOSED`")
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
    "`CREATOR_NOT_ALLOWED`, `ACCOUNT_CLOSED`",
)
def post_publish(show_id: UUID) -> tuple[dict[str, Any], int]:
    """Publish a show; on return tickets are on sale, unless the answer is 202"""
    use, actor = wired(), actor_for(show_id)
    change = publish_show(use.begin, actor=actor, show_id=show_id, now=use.now())
    return changed(show_id, change, actor)


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
    return {
        "changes": [change_document(change) for change in page.items],
        "next_cursor": page.next_cursor,
    }


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


def _version(cursor: str | None) -> int | None:
    return None if cursor is None else decode_cursor(cursor, stored_number)[0]

"""Routes below /api/v1/comedians: GET, POST · GET, PUT, DELETE /{id}."""

from typing import Any
from uuid import UUID

from catalog_service.api.comedian_schemas import (
    ComedianChangesRequest,
    ComedianPageResponse,
    ComedianRequest,
    ComediansArguments,
    DeletedResponse,
    changes_from,
)
from catalog_service.api.documents import comedian_document, show_documents
from catalog_service.api.rules import CREATORS, actor_for_entry, current_actor
from catalog_service.api.schemas import ComedianResponse, ComediansResponse
from catalog_service.api.wired import wired
from catalog_service.domain.comedians import ComedianDetails
from catalog_service.domain.discovery import Listing, ShowFilter, ShowOrder
from catalog_service.usecases.create_comedian import create_comedian
from catalog_service.usecases.delete_comedian import delete_comedian
from catalog_service.usecases.edit_comedian import edit_comedian
from service_kit.access import EVERYONE, allow
from service_kit.pagination import DEFAULT_LIMIT, decode_cursor, page_of
from service_kit.routes import Blueprint

blp = Blueprint("comedians", __name__, url_prefix="/api/v1/comedians", description="Comedians")


@blp.get("")
@allow(EVERYONE)
@blp.arguments(ComediansArguments, location="query")
@blp.response(200, ComediansResponse)
def get_comedians(arguments: dict[str, Any]) -> dict[str, Any]:
    """List the directory of comedians by name"""
    limit = arguments["limit"]
    after = _position(arguments["cursor"])
    with wired().read() as tx:
        rows = tx.comedians.page(arguments["q"], after=after, limit=limit + 1)
    page = page_of(
        rows, limit=limit, key=lambda comedian: [comedian.details.name, str(comedian.id)]
    )
    return {
        "comedians": [comedian_document(comedian) for comedian in page.items],
        "next_cursor": page.next_cursor,
    }


@blp.post("")
@allow(CREATORS)
@blp.arguments(ComedianRequest)
@blp.response(201, ComedianResponse)
@blp.alt_response(
    409, description="`ALREADY_LISTED`: there is an own entry already; `ACCOUNT_CLOSED`"
)
def post_comedian(body: dict[str, Any]) -> dict[str, Any]:
    """Add a comedian to the directory"""
    actor = current_actor()
    is_own = body.pop("is_own")
    details = ComedianDetails(**changes_from(body))
    comedian = create_comedian(
        wired().begin, actor=actor, details=details, user_id=actor.id if is_own else None
    )
    return {"comedian": comedian_document(comedian)}


@blp.get("/<uuid:comedian_id>")
@allow(EVERYONE)
@blp.response(200, ComedianPageResponse)
@blp.alt_response(404, description="unknown")
def get_comedian(comedian_id: UUID) -> dict[str, Any]:
    """Show one comedian with the upcoming shows"""
    use = wired()
    with use.read() as tx:
        comedian = tx.comedians.find(comedian_id)
        first = Listing(ShowFilter(comedian_id=comedian_id), ShowOrder.DATE, DEFAULT_LIMIT)
        shows = tx.shows.upcoming(first, now=use.now())
    return {
        "comedian": comedian_document(comedian),
        "shows": show_documents(use, shows[:DEFAULT_LIMIT], viewer=None),
    }


@blp.put("/<uuid:comedian_id>")
@allow(CREATORS)
@blp.arguments(ComedianChangesRequest)
@blp.response(200, ComedianResponse)
@blp.alt_response(404, description="unknown, or not one's own")
@blp.alt_response(409, description="`ACCOUNT_CLOSED`")
def put_comedian(body: dict[str, Any], comedian_id: UUID) -> dict[str, Any]:
    """Change an entry of one's own: what is absent stays, null clears"""
    comedian = edit_comedian(
        wired().begin,
        actor=actor_for_entry(comedian_id),
        comedian_id=comedian_id,
        changes=changes_from(body),
    )
    return {"comedian": comedian_document(comedian)}


@blp.delete("/<uuid:comedian_id>")
@allow(CREATORS)
@blp.response(200, DeletedResponse)
@blp.alt_response(404, description="unknown, or not one's own")
@blp.alt_response(409, description="`COMEDIAN_IN_USE`, `ACCOUNT_CLOSED`")
def delete_entry(comedian_id: UUID) -> dict[str, Any]:
    """Delete an entry of one's own; it goes off the bills of one's own drafts"""
    delete_comedian(wired().begin, actor=actor_for_entry(comedian_id), comedian_id=comedian_id)
    return {"success": True}


def _position(cursor: str | None) -> tuple[str, UUID] | None:
    if cursor is None:
        return None
    name, comedian_id = decode_cursor(cursor, _storable, UUID)
    return name, comedian_id


def _storable(text: str) -> str:
    if "\0" in text or not text.encode():  # halves of characters cannot be encoded
        raise ValueError("not a name of ours")
    return text

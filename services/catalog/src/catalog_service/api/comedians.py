"""Routes below /api/v1/comedians: GET · GET /{id}."""

from typing import Any
from uuid import UUID

from catalog_service.api.documents import comedian_document
from catalog_service.api.schemas import ComedianResponse, ComediansResponse
from catalog_service.api.wired import wired
from service_kit.access import EVERYONE, allow
from service_kit.pagination import PageArguments, decode_cursor, page_of
from service_kit.routes import Blueprint

blp = Blueprint("comedians", __name__, url_prefix="/api/v1/comedians", description="Comedians")


@blp.get("")
@allow(EVERYONE)
@blp.arguments(PageArguments, location="query")
@blp.response(200, ComediansResponse)
def get_comedians(arguments: dict[str, Any]) -> dict[str, Any]:
    """List the directory of comedians by name"""
    limit = arguments["limit"]
    after = _position(arguments["cursor"])
    with wired().read() as tx:
        rows = tx.comedians.page(after=after, limit=limit + 1)
    page = page_of(
        rows, limit=limit, key=lambda comedian: [comedian.details.name, str(comedian.id)]
    )
    return {
        "comedians": [comedian_document(comedian) for comedian in page.items],
        "next_cursor": page.next_cursor,
    }


@blp.get("/<uuid:comedian_id>")
@allow(EVERYONE)
@blp.response(200, ComedianResponse)
@blp.alt_response(404, description="unknown")
def get_comedian(comedian_id: UUID) -> dict[str, Any]:
    """Show one comedian"""
    with wired().read() as tx:
        comedian = tx.comedians.find(comedian_id)
    return {"comedian": comedian_document(comedian)}


def _position(cursor: str | None) -> tuple[str, UUID] | None:
    if cursor is None:
        return None
    name, comedian_id = decode_cursor(cursor, _printable, UUID)
    return name, comedian_id


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("not a name of ours")
    return text

"""Routes: GET /api/v1/shows · GET /api/v1/shows/{id}. Public pages are kept for a second."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Response

from catalog_service.api.documents import show_documents, with_stats
from catalog_service.api.inputs import stored_instant, stored_number
from catalog_service.api.rules import current_actor_or_none
from catalog_service.api.schemas import ShowArguments, ShowResponse, ShowsResponse
from catalog_service.api.shared_answers import NOT_MODIFIED, shared_answer
from catalog_service.api.wired import wired
from catalog_service.domain.actors import Actor
from catalog_service.domain.discovery import Listing, ShowFilter, ShowOrder, ShowPosition
from catalog_service.domain.errors import ShowNotFound
from catalog_service.domain.shows import Show
from catalog_service.repositories.shows import position_of
from catalog_service.repositories.transaction import Transaction
from service_kit.access import EVERYONE, allow
from service_kit.encoding import encoder
from service_kit.pagination import decode_cursor, page_of
from service_kit.problems import Problem
from service_kit.routes import Blueprint

PAISE_PER_RUPEE = 100

blp = Blueprint("discovery", __name__, url_prefix="/api/v1/shows", description="Finding shows")

_encode_shows = encoder(ShowsResponse())
_encode_show = encoder(ShowResponse())


@blp.get("")
@allow(EVERYONE)
@blp.arguments(ShowArguments, location="query")
@blp.response(200, ShowsResponse)
@blp.alt_response(304, description=NOT_MODIFIED)
@blp.alt_response(401, description="`mode=manage` is for signed-in people")
def get_shows(arguments: dict[str, Any]) -> Response:
    """List shows: upcoming ones for everybody, or all of one's own (`mode=manage`)"""
    listing = _listing(arguments)
    if arguments["mode"] == "manage":
        return _own_shows(listing)
    return shared_answer(listing, lambda: _upcoming_shows(listing))


@blp.get("/<uuid:show_id>")
@allow(EVERYONE)
@blp.response(200, ShowResponse)
@blp.alt_response(304, description=NOT_MODIFIED)
@blp.alt_response(404, description="unknown, or neither published nor one's own")
def get_show(show_id: UUID) -> Response:
    """Show one show"""
    viewer = current_actor_or_none()
    if viewer is None:
        return _public_show(show_id)
    if not viewer.creates_shows:
        with suppress(ShowNotFound):  # unless it is from the time before the person's role changed
            return _public_show(show_id)
    return Response(_show_as_seen_by(viewer, show_id), mimetype="application/json")


def _public_show(show_id: UUID) -> Response:
    return shared_answer(("show", show_id), lambda: _show_as_seen_by(None, show_id))


def _show_as_seen_by(viewer: Actor | None, show_id: UUID) -> bytes:
    use = wired()
    with use.read() as tx:
        show = tx.shows.visible_to(viewer, show_id)
    return _encode_show({"show": show_documents(use, [show], viewer)[0]})


def _upcoming_shows(listing: Listing) -> bytes:
    use = wired()
    with use.read() as tx:
        rows, listing = _find(tx, listing, lambda each: tx.shows.upcoming(each, now=use.now()))
    page = page_of(rows, limit=listing.limit, key=lambda show: _cursor_key(show, listing))
    documents = show_documents(use, page.items, viewer=None)
    return _encode_shows({"shows": documents, "next_cursor": page.next_cursor})


def _own_shows(listing: Listing) -> Response:
    use, owner = wired(), _signed_in(current_actor_or_none())
    with use.read() as tx:
        rows, listing = _find(tx, listing, lambda each: tx.shows.of_creator(owner.id, each))
    page = page_of(rows, limit=listing.limit, key=lambda show: _cursor_key(show, listing))
    documents = show_documents(use, page.items, owner)
    with_stats(page.items, documents, use)
    answer = {"shows": documents, "next_cursor": page.next_cursor}
    return Response(_encode_shows(answer), mimetype="application/json")


def _find(
    tx: Transaction, listing: Listing, read: Callable[[Listing], list[Show]]
) -> tuple[list[Show], Listing]:
    """Read a page; where nothing has the words as they are typed, what has similar ones.

    Returns:
        One row more than a page has, if there is one, and the listing in which they were found.
    """
    rows = read(listing)
    if rows or not listing.may_be_misspelt or not tx.shows.typos_are_forgiven():
        return rows, listing
    listing = listing.forgiving_typos
    return read(listing), listing


def _signed_in(viewer: Actor | None) -> Actor:
    if viewer is None:
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "UNAUTHENTICATED",
            "Please sign in first.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return viewer


def _listing(arguments: dict[str, Any]) -> Listing:
    listing = Listing(_filter(arguments), arguments["sort"], arguments["limit"])
    cursor = arguments["cursor"]
    return listing if cursor is None else _continued(listing, cursor)


def _filter(arguments: dict[str, Any]) -> ShowFilter:
    """Return what is wanted; whatever means the same is equal, so that it shares a page."""
    text, city = arguments["q"], arguments["city"]
    return ShowFilter(
        text=" ".join(text.lower().split()) or None,
        city=None if city is None else city.lower(),
        comedian_id=arguments["comedian_id"],
        starts_from=arguments["starts_from"],
        starts_before=arguments["starts_before"],
        min_price_paise=_paise(arguments["min_price"]),
        max_price_paise=_paise(arguments["max_price"]),
    )


def _paise(whole_rupees: int | None) -> int | None:
    return None if whole_rupees is None else whole_rupees * PAISE_PER_RUPEE


def _cursor_key(show: Show, listing: Listing) -> list[str]:
    position = position_of(show, listing.order)
    value = position.value
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return [text, str(position.show_id), _mark(listing)]


def _continued(listing: Listing, cursor: str) -> Listing:
    """Return what follows the page before; its cursor serves the same list only.

    Raises:
        Problem: 422, this cursor is another list's.
    """
    lists = {_mark(each): each for each in (listing, listing.forgiving_typos)}
    by_price = listing.order in {ShowOrder.PRICE, ShowOrder.PRICE_DESCENDING}
    read_value: Callable[[str], datetime | int] = stored_number if by_price else stored_instant

    def read_list(mark: str) -> Listing:
        if mark not in lists:
            raise ValueError("a cursor of another list")
        return lists[mark]

    value, show_id, same_list = decode_cursor(cursor, read_value, UUID, read_list)
    after = ShowPosition(value, show_id)
    continued: Listing = replace(same_list, after=after)
    return continued


def _mark(listing: Listing) -> str:
    """Return by what a list is recognised, whatever page of it is shown."""
    marked = repr((listing.wanted, listing.order)).encode()
    return hashlib.blake2b(marked, digest_size=6).hexdigest()

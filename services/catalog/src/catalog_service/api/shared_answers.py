"""Answers that are the same for everybody: built once a moment, tagged, 304 for who knows them."""

from collections.abc import Callable, Hashable
from http import HTTPStatus
from typing import cast
from wsgiref.types import WSGIEnvironment

from flask import Response, current_app

from catalog_service.api.kept_pages import KeptPages, Page, PageNotReady
from service_kit.problems import Problem
from service_kit.routes import current_request
from service_kit.web import ReadyAnswer

NOT_MODIFIED = "`If-None-Match` names what is known already"
MAX_QUERIES = 2048
MAX_QUERY_LENGTH = 512
_UNKNOWN = ("", None)


class SharedAnswers:
    """The kept pages, and which queries have led to which of them."""

    def __init__(self, pages: KeptPages) -> None:
        self.pages = pages
        self._known: dict[tuple[str, str], tuple[str, Hashable]] = {}

    def ready_answer(self, environ: WSGIEnvironment) -> ReadyAnswer | None:
        """Return what the route would answer to a query that was understood a moment ago.

        Only to who shows no credential: an answer to somebody in particular may be another.
        """
        if environ["REQUEST_METHOD"] != "GET" or "HTTP_AUTHORIZATION" in environ:
            return None
        route, key = self._known.get((environ["PATH_INFO"], environ["QUERY_STRING"]), _UNKNOWN)
        page = self.pages.fresh(key)
        if page is None:
            return None
        headers, known = _headers_of(page), environ.get("HTTP_IF_NONE_MATCH")
        if known == headers["ETag"]:
            return ReadyAnswer(route, HTTPStatus.NOT_MODIFIED, [*headers.items()])
        if known is not None:
            return None  # another one, or several
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(page.body))}
        return ReadyAnswer(route, HTTPStatus.OK, [*headers.items()], page.body)

    def note_query(self, key: Hashable) -> None:
        """Remember which page the request that is served now asks for."""
        asked = current_request()
        path, query = asked.environ["PATH_INFO"], asked.environ["QUERY_STRING"]
        if asked.url_rule is None or len(query) > MAX_QUERY_LENGTH:
            return
        if len(self._known) >= MAX_QUERIES:
            self._known.clear()
        self._known[path, query] = asked.url_rule.rule, key


def shared_answer(key: Hashable, build: Callable[[], bytes]) -> Response:
    """Answer with the page for a key, built by this request or another one.

    Raises:
        Problem: 503, another request builds it and takes too long.
    """
    shared = cast("SharedAnswers", current_app.extensions["shared_answers"])
    try:
        page = shared.pages.get(key, build)
    except PageNotReady as error:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "UNAVAILABLE",
            "The service is busy or restarting. Please try again.",
            headers={"Retry-After": "1"},
        ) from error
    shared.note_query(key)
    return _answer(page)


def _answer(page: Page) -> Response:
    headers, asked = _headers_of(page), current_request()
    known = asked.headers.get("If-None-Match")
    if known and (known == headers["ETag"] or asked.if_none_match.contains_weak(page.tag)):
        return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(page.body, headers=headers, mimetype="application/json")


def _headers_of(page: Page) -> dict[str, str]:
    # no-cache: anybody may keep it and asks whether it still holds; what is sold changes any moment
    return {"ETag": f'"{page.tag}"', "Cache-Control": "public, no-cache"}

"""Answers that are the same for everybody: built once a moment, tagged, 304 for who knows them."""

from collections.abc import Callable, Hashable
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast

from flask import Flask, Response, current_app

from catalog_service.api.kept_pages import KeptPages, Page, PageNotReady
from service_kit.problems import Problem
from service_kit.routes import current_request

Route = TypeVar("Route", bound=Callable[..., Any])

NOT_MODIFIED = "`If-None-Match` names what is known already"
MAX_QUERIES = 2048
MAX_QUERY_BYTES = 512


class SharedAnswers:
    """The kept pages, and which queries have led to which of them."""

    def __init__(self, pages: KeptPages) -> None:
        self.pages = pages
        self._keys: dict[tuple[str, bytes], Hashable] = {}

    def of_known_query(self) -> Page | None:
        """Return the page for the very request that is served now, if it is new enough."""
        asked = current_request()
        key = self._keys.get((asked.path, asked.query_string))
        return None if key is None else self.pages.fresh(key)

    def note_query(self, key: Hashable) -> None:
        """Remember which page the request that is served now asks for."""
        asked = current_request()
        if len(asked.query_string) > MAX_QUERY_BYTES:
            return
        if len(self._keys) >= MAX_QUERIES:
            self._keys.clear()
        self._keys[asked.path, asked.query_string] = key


def install(app: Flask, pages: KeptPages | None) -> None:
    """Give the app its pages, kept as usual unless others are given."""
    app.extensions["shared_answers"] = SharedAnswers(pages or KeptPages())


def read_before(route: Route) -> Route:
    """Answer a query that was understood a moment ago at once, without reading it again.

    For routes that answer nobody in particular whenever they use `shared_answer`.
    """

    @wraps(route)
    def answer(*args: Any, **kwargs: Any) -> Any:
        page = _shared().of_known_query()
        return route(*args, **kwargs) if page is None else _answer(page)

    return cast("Route", answer)


def shared_answer(key: Hashable, build: Callable[[], bytes]) -> Response:
    """Answer with the page for a key, built by this request or another one.

    Raises:
        Problem: 503, another request builds it and takes too long.
    """
    shared = _shared()
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


def _shared() -> SharedAnswers:
    return cast("SharedAnswers", current_app.extensions["shared_answers"])


def _answer(page: Page) -> Response:
    # no-cache: anybody may keep it and asks whether it still holds; what is sold changes any moment
    tag = f'"{page.tag}"'
    headers = {"ETag": tag, "Cache-Control": "public, no-cache"}
    asked = current_request()
    known = asked.headers.get("If-None-Match")
    if known and (known == tag or asked.if_none_match.contains_weak(page.tag)):
        return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(page.body, headers=headers, mimetype="application/json")

"""Conditional requests: unchanged answers are not sent again, unseen changes not overwritten."""

from http import HTTPStatus
from typing import Any

from flask import Response, request
from werkzeug.datastructures import ETags

from service_kit.problems import Problem

NOT_MODIFIED = "`If-None-Match` names what is known already"

IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "the `ETag` under which the setting was seen",
}


def tagged(body: Any, tag: str, **headers: str) -> Any:
    """Return an answer under its tag, or 304 without it to a caller who knows the tag."""
    sent = {"ETag": f'"{tag}"', **{name.replace("_", "-"): text for name, text in headers.items()}}
    reading = request.method in {"GET", "HEAD"}
    if reading and request.if_none_match.contains_weak(tag):
        return Response(status=HTTPStatus.NOT_MODIFIED, headers=sent)
    return body, HTTPStatus.OK, sent


def seen_tags() -> ETags | None:
    """Return the tags in `If-Match`, None if the caller sent none."""
    return request.if_match or None


def required_tags() -> ETags:
    """Return the tags in `If-Match`.

    Raises:
        Problem: 428, there are none.
    """
    tags = seen_tags()
    if tags is None:
        raise Problem(
            HTTPStatus.PRECONDITION_REQUIRED,
            "IF_MATCH_REQUIRED",
            "Say in If-Match which state of the setting you have seen: the ETag of its page.",
        )
    return tags

"""Keyset pages: `limit` and an opaque `cursor`, answered with `nextCursor`."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from marshmallow import fields, validate

from service_kit.openapi import Schema
from service_kit.problems import Problem

T = TypeVar("T")

DEFAULT_LIMIT = 100
MAX_LIMIT = 200


class PageArguments(Schema):
    """The query parameters of every list."""

    limit = fields.Integer(load_default=DEFAULT_LIMIT, validate=validate.Range(1, MAX_LIMIT))
    cursor = fields.String(load_default=None)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list and where the next page starts, if there is one."""

    items: Sequence[T]
    next_cursor: str | None


def page_of(rows: Sequence[T], *, limit: int, key: Callable[[T], Sequence[str]]) -> Page[T]:
    """Return the page made of the first `limit` of at most `limit + 1` rows.

    `key` gives the values the list is ordered by; they become the cursor.
    """
    if len(rows) <= limit:
        return Page(rows, None)
    return Page(rows[:limit], encode_cursor(key(rows[limit - 1])))


def encode_cursor(values: Sequence[str]) -> str:
    """Return the values of a row's sort key as an opaque, URL-safe string."""
    raw = json.dumps(list(values), separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode_cursor(cursor: str, *parsers: Callable[[str], Any]) -> list[Any]:
    """Return what `encode_cursor` was given, each value read by its parser.

    A parser raises ValueError for what it cannot read.

    Raises:
        Problem: 422, this cursor was not handed out by this list.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.urlsafe_b64decode(padded))
        return [parse(str(value)) for parse, value in zip(parsers, values, strict=True)]
    except (binascii.Error, TypeError, ValueError, RecursionError) as error:
        raise _unknown_cursor() from error


def _unknown_cursor() -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "INVALID_FIELDS",
        "cursor: use the nextCursor of the page before, unchanged.",
        errors={"cursor": ["Use the nextCursor of the page before, unchanged."]},
    )

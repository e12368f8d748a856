"""Which changes of an API break its callers, and how that is said."""

import copy
from typing import Any

import pytest

from contracts.compatibility import breaking_changes

Json = dict[str, Any]


def an_api() -> Json:
    """Return the document of an API that has a bit of everything."""
    problem = {"description": "…", "content": {"application/problem+json": {"schema": {}}}}
    return {
        "openapi": "3.1.0",
        "paths": {
            "/shows/{id}/bookings": {
                "parameters": [
                    {"in": "path", "name": "id", "required": True, "schema": {"type": "string"}}
                ],
                "post": {
                    "x-access": "signed in",
                    "parameters": [
                        {"in": "query", "name": "limit", "schema": {"type": "integer"}},
                        {
                            "in": "header",
                            "name": "Key",
                            "schema": {"type": "string", "maxLength": 9},
                        },
                    ],
                    "requestBody": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Wish"}}
                        }
                    },
                    "responses": {
                        "201": {
                            "description": "…",
                            "headers": {"ETag": {"schema": {"type": "string"}}},
                            "content": {
                                "application/json": {
                                    "schema": {"$ref": "#/components/schemas/Booking"}
                                }
                            },
                        },
                        "409": problem,
                    },
                },
            }
        },
        "components": {
            "schemas": {
                "Wish": {
                    "type": "object",
                    "properties": {
                        "quantity": {"type": "integer", "minimum": 1, "maximum": 10},
                        "kind": {"type": "string", "enum": ["SEAT", "TABLE"]},
                        "note": {"type": ["string", "null"]},
                    },
                    "required": ["quantity"],
                    "additionalProperties": False,
                },
                "Booking": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "string", "format": "uuid"},
                        "amount": {"type": "number"},
                        "status": {"type": "string", "enum": ["PENDING", "CONFIRMED"]},
                        "payment": {
                            "anyOf": [{"$ref": "#/components/schemas/Payment"}, {"type": "null"}]
                        },
                        "seats": {
                            "type": "array",
                            "minItems": 1,
                            "items": {
                                "type": "object",
                                "properties": {"row": {"type": "string"}},
                                "required": ["row"],
                            },
                        },
                        "counts": {
                            "type": "object",
                            "additionalProperties": {"type": "integer"},
                        },
                    },
                    "required": ["id", "amount", "status", "payment", "seats", "counts"],
                },
                "Payment": {
                    "type": "object",
                    "properties": {"orderId": {"type": "string"}},
                    "required": ["orderId"],
                },
            }
        },
    }


ROUTE = "POST /shows/{id}/bookings"
POST = ("paths", "/shows/{id}/bookings", "post")
LIMIT, KEY = (*POST, "parameters", 0), (*POST, "parameters", 1)
WISH = ("components", "schemas", "Wish")
BOOKING = ("components", "schemas", "Booking")
SEAT = (*BOOKING, "properties", "seats", "items")


def part(document: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


def with_change(path: tuple[str | int, ...], value: Any) -> Json:
    """Return the API with one part of it replaced, or, for None, taken away."""
    changed = copy.deepcopy(an_api())
    *parents, last = path
    if value is None:
        del part(changed, tuple(parents))[last]
    else:
        part(changed, tuple(parents))[last] = value
    return changed


BREAKS: list[tuple[tuple[str | int, ...], Any, str]] = [
    (("paths", "/shows/{id}/bookings"), None, "was removed"),
    (POST, None, "was removed"),
    ((*POST, "x-access"), "admins", "was for: signed in; is for: admins"),
    ((*LIMIT, "name"), "size", "query: limit was removed"),
    ((*LIMIT, "required"), True, "query: limit is now required"),
    ((*LIMIT, "schema", "maximum"), 9, "query: limit: had no maximum, has 9"),
    ((*KEY, "schema", "maxLength"), 5, "header: Key: had maxLength 9, has 5"),
    ((*POST, "requestBody", "required"), True, "body is now required"),
    ((*POST, "requestBody", "content"), {}, "body: application/json was removed"),
    ((*WISH, "properties", "note"), None, "body: note was removed"),
    ((*WISH, "required"), ["quantity", "note"], "body: note is required now"),
    ((*WISH, "properties", "kind", "enum"), ["SEAT"], "body: kind may not any more be TABLE"),
    (
        (*WISH, "properties", "note", "enum"),
        ["a", "b", None],
        "body: note may not any more be anything",
    ),
    ((*WISH, "properties", "note", "type"), "string", "body: note may not any more be null"),
    ((*WISH, "properties", "quantity", "type"), "string", "body: quantity may not any more be"),
    ((*WISH, "properties", "quantity", "minimum"), 2, "body: quantity had minimum 1, has 2"),
    ((*WISH, "properties", "note", "pattern"), "^a", "body: note had no pattern, has ^a"),
    ((*POST, "responses", "409"), None, "409 was removed"),
    ((*POST, "responses", "201", "content"), {}, "201: application/json was removed"),
    ((*POST, "responses", "201", "headers"), {}, "201: header ETag was removed"),
    ((*BOOKING, "properties", "amount"), None, "201: amount was removed"),
    ((*BOOKING, "required"), ["id"], "201: amount may be absent now"),
    ((*BOOKING, "properties", "amount", "type"), "string", "201: amount may now be string"),
    ((*BOOKING, "properties", "id", "format"), None, "201: id had format uuid, has none"),
    (
        (*BOOKING, "properties", "amount", "type"),
        ["number", "null"],
        "201: amount may now be null",
    ),
    (
        (*BOOKING, "properties", "status", "enum"),
        ["PENDING", "CONFIRMED", "LOST"],
        "201: status may now be LOST",
    ),
    (
        ("components", "schemas", "Payment", "properties", "orderId"),
        None,
        "201: payment.orderId was removed",
    ),
    (
        (*BOOKING, "properties", "seats", "minItems"),
        0,
        "201: seats had minItems 1, has 0",
    ),
    ((*SEAT, "properties", "row"), None, "201: seats[].row was removed"),
    ((*SEAT, "required"), [], "201: seats[].row may be absent now"),
    (
        (*BOOKING, "properties", "counts", "additionalProperties", "type"),
        "string",
        "201: counts.* may now be string",
    ),
]


@pytest.mark.parametrize(("path", "value", "said"), BREAKS, ids=[said for *_, said in BREAKS])
def test_what_breaks_callers_is_said(path: tuple[str | int, ...], value: Any, said: str) -> None:
    broken = breaking_changes(an_api(), with_change(path, value))

    assert any(line.startswith(f"{ROUTE} {said}") for line in broken), broken


HARMLESS: list[tuple[tuple[str | int, ...], Any]] = [
    ((*POST, "x-access"), "everyone"),
    ((*LIMIT, "required"), False),
    ((*LIMIT, "schema", "type"), "number"),
    ((*KEY, "schema", "maxLength"), 10),
    ((*WISH, "properties", "wishes"), {"type": "string"}),
    ((*WISH, "properties", "kind", "enum"), ["SEAT", "TABLE", "FLOOR"]),
    ((*WISH, "properties", "quantity", "maximum"), 20),
    ((*WISH, "required"), []),
    ((*POST, "responses", "202"), {"description": "…"}),
    ((*BOOKING, "properties", "row"), {"type": "string"}),
    ((*BOOKING, "properties", "amount", "type"), "integer"),
    ((*BOOKING, "properties", "status", "enum"), ["PENDING"]),
    ((*BOOKING, "properties", "payment"), {"$ref": "#/components/schemas/Payment"}),
]


@pytest.mark.parametrize(("path", "value"), HARMLESS)
def test_what_breaks_nobody_is_let_pass(path: tuple[str | int, ...], value: Any) -> None:
    assert breaking_changes(an_api(), with_change(path, value)) == []


def test_the_name_of_a_paths_parameter_may_change() -> None:
    renamed = an_api()
    item = renamed["paths"].pop("/shows/{id}/bookings")
    item["parameters"][0]["name"] = "show_id"
    renamed["paths"]["/shows/{show_id}/bookings"] = item

    assert breaking_changes(an_api(), renamed) == []


def test_a_new_parameter_must_not_be_required() -> None:
    changed = an_api()
    changed["paths"]["/shows/{id}/bookings"]["post"]["parameters"].append(
        {"in": "query", "name": "city", "required": True, "schema": {"type": "string"}}
    )

    assert breaking_changes(an_api(), changed) == [f"{ROUTE} query: city is new and required"]

"""The part of an API document that concerns people outside."""

import re
from collections.abc import Iterator
from typing import Any

PUBLIC_PREFIX = "/api/"  # nothing else is let through by the gateway
_REFERENCE = "#/components/"


def public_part(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document without the routes between services, and without what only those use."""
    paths = {
        path: item for path, item in document["paths"].items() if path.startswith(PUBLIC_PREFIX)
    }
    used = _used_by(paths, document["components"])
    schemes = {scheme for operation in _operations(paths) for scheme in _schemes(operation)}
    components = {
        kind: {
            name: component
            for name, component in named.items()
            if (name in schemes if kind == "securitySchemes" else (kind, name) in used)
        }
        for kind, named in document["components"].items()
    }
    tags = {tag for operation in _operations(paths) for tag in operation.get("tags", ())}
    listed = [tag for tag in document.get("tags", ()) if tag["name"] in tags]
    return {**document, "paths": paths, "tags": listed, "components": components}


def _operations(paths: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in paths.values():
        yield from (part for part in item.values() if isinstance(part, dict))


def _schemes(operation: dict[str, Any]) -> Iterator[str]:
    for alternative in operation.get("security", ()):
        yield from alternative


def _used_by(part: Any, components: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the kind and name of every component that a part refers to, however indirectly."""
    used: set[tuple[str, str]] = set()
    waiting = [part]
    while waiting:
        for kind, name in set(_references(waiting.pop())) - used:
            used.add((kind, name))
            waiting.append(components[kind][name])
    return used


def _references(part: Any) -> Iterator[tuple[str, str]]:
    if isinstance(part, dict):
        reference = part.get("$ref")
        if isinstance(reference, str) and (
            match := re.fullmatch(rf"{_REFERENCE}([^/]+)/(.+)", reference)
        ):
            yield match[1], match[2]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _references(each)

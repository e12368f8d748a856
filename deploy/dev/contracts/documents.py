"""The services' API documents: as committed, as released, and how they are read."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack.processes import service_folder

Document = Mapping[str, Any]
Schema = Mapping[str, Any]

METHODS = ("get", "put", "post", "delete", "patch")
_SERVICE_ACCESS = re.compile(r"service with (\S+)")


def committed(service: str) -> Document:
    """Return what a service offers, as the code says."""
    return _read(committed_file(service))


def released(service: str) -> Document:
    """Return what a service offered when it was last released; nothing if it never was."""
    file = released_file(service)
    return _read(file) if file.exists() else {"paths": {}}


def committed_file(service: str) -> Path:
    """Return where the document is that goes with the code."""
    return service_folder(service) / "openapi.json"


def released_file(service: str) -> Path:
    """Return where the document of a service's last release is kept."""
    return service_folder(service) / "openapi.released.json"


def resolved(document: Document, part: Any) -> Any:
    """Return a part of a document, or the component that it refers to."""
    while isinstance(part, Mapping) and "$ref" in part:
        found: Any = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, with what the path says for all of its methods."""

    document: Document
    method: str
    path: str
    described: Mapping[str, Any]
    shared_parameters: tuple[Mapping[str, Any], ...]

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def parameters(self) -> list[Mapping[str, Any]]:
        """What is said in path, query and headers."""
        listed = (*self.shared_parameters, *self.described.get("parameters", ()))
        return [resolved(self.document, each) for each in listed]

    @property
    def body(self) -> Mapping[str, Any]:
        """The request's body; empty if there is none."""
        body: Mapping[str, Any] = resolved(self.document, self.described.get("requestBody", {}))
        return body

    @property
    def responses(self) -> dict[str, Mapping[str, Any]]:
        """The answers by status."""
        answers = self.described.get("responses", {})
        return {status: resolved(self.document, answer) for status, answer in answers.items()}

    @property
    def access(self) -> str:
        """Who may call it, in words."""
        return str(self.described.get("x-access", ""))

    @property
    def scope(self) -> str | None:
        """What a service's token must allow; None if it is not for services."""
        match = _SERVICE_ACCESS.fullmatch(self.access)
        return match[1] if match else None

    def matches(self, method: str, path: str) -> re.Match[str] | None:
        """Return the path's parameters if a request is one of this operation."""
        if method.lower() != self.method:
            return None
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(self.path))
        return re.fullmatch(pattern, path)


def operations(document: Document) -> Iterator[Operation]:
    """Return all operations of a document."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield Operation(
                    document, method, path, item[method], tuple(item.get("parameters", ()))
                )


def operation_of(service: str, name: str) -> Operation:
    """Return an operation of a service, such as `GET /internal/people`.

    Raises:
        LookupError: the service documents no such operation.
    """
    for operation in operations(committed(service)):
        if str(operation) == name:
            return operation
    raise LookupError(f"{service} documents no {name}")


def _read(file: Path) -> Document:
    document: Document = json.loads(file.read_text(encoding="utf-8"))
    return document

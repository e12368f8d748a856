"""Trying a service out with whatever its document allows, and forbids, as whoever there is."""

import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import schemathesis
from schemathesis.openapi import from_dict
from schemathesis.schemas import BaseSchema

from contracts.documents import committed
from service_kit import deadline
from service_kit.testing import TokenIssuer

Headers: TypeAlias = Mapping[str, str]
Case: TypeAlias = schemathesis.Case[Any]

_CONFIG = Path(__file__).with_name("schemathesis.toml")
_PATIENCE_MS = "3000"  # of callers: what answers wait for, such as deletions, nobody does here
_OF_THOSE_LET_IN = 10  # requests, for a few by people who are not


def described(service: str) -> BaseSchema:
    """Return what to try a service with; FUZZ_EXAMPLES says how much of it."""
    config = schemathesis.Config.from_path(_CONFIG)
    if examples := os.environ.get("FUZZ_EXAMPLES"):
        config.projects.default.generation.update(max_examples=int(examples), deterministic=False)
    return from_dict(dict(committed(service)), config=config)


@dataclass(frozen=True, slots=True)
class Callers:
    """Everybody who may turn up at a service."""

    service: str
    url: str
    issuer: TokenIssuer
    creator_id: UUID = field(default_factory=uuid4)
    buyer_id: UUID = field(default_factory=uuid4)
    admin_id: UUID = field(default_factory=uuid4)
    known: Mapping[str, str] = field(default_factory=dict)  # ids of what is there, by parameter

    def call(self, case: Case) -> None:
        """Send a request as somebody and hold the answer against the document.

        The same request comes from the same caller, so that a failure can be repeated.
        """
        sent = (case.method, case.path_parameters, case.query, case.body)
        dice = zlib.crc32(repr(sent).encode("utf-8", "surrogatepass"))
        for name in self.known.keys() & case.path_parameters.keys() if dice % 2 else ():
            case.path_parameters[name] = self.known[name]
        callers = self._of(str(case.operation.definition.raw.get("x-access")))
        headers = {deadline.HEADER: _PATIENCE_MS, **callers[dice % len(callers)]}
        case.call_and_validate(self.url, headers=headers)

    def _of(self, access: str) -> Sequence[Headers]:
        """Return callers of an operation: everybody, and most often who is let in."""
        issue = self.issuer
        audience = issue.user(self.buyer_id)
        creators = [
            issue.user(self.creator_id, role=role, approved=True)
            for role in ("ORGANIZER", "COMEDIAN")
        ]
        admin = issue.admin(self.admin_id)
        strangers = [
            {},
            audience,
            creators[0],
            issue.user(self.creator_id, role="ORGANIZER"),
            issue.user(self.admin_id, role="ADMIN"),
            issue.service("somebody", audience=self.service, scope="something:else"),
        ]
        if access.startswith("service with "):
            scope = access.removeprefix("service with ")
            let_in = [issue.service("somebody", audience=self.service, scope=scope)]
        elif access.endswith("with second factor"):
            let_in = [admin]
        else:
            let_in = [audience, *creators, admin]
        return [*strangers, *let_in * (_OF_THOSE_LET_IN // len(let_in))]

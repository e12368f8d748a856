"""What the other services' documents say about our calls."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from identity_service.domain.service_clients import GRANTS
from identity_service.domain.standing import RECEIVERS
from identity_service.settings import HOLDERS

SERVICES = Path(__file__).parents[3]


def operation(service: str, method: str, path: str) -> dict[str, Any]:
    """Return what a service documents about a request of ours."""
    text = (SERVICES / service / "openapi.json").read_text(encoding="utf-8")
    for template, methods in json.loads(text)["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            found: dict[str, Any] = methods[method]
            return found
    pytest.fail(f"{service} documents no {path}")


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_who_is_told_standings_takes_them_as_we_tell_them(receiver: str) -> None:
    told = operation(receiver, "put", f"/internal/creators/{uuid4()}/standing")

    assert told["x-access"] == f"service with {receiver}:standing:write"
    assert f"{receiver}:standing:write" in GRANTS["identity"][receiver]


@pytest.mark.parametrize("holder", HOLDERS)
def test_who_stores_something_about_people_tells_it_to_us(holder: str) -> None:
    told = operation(holder, "get", f"/internal/people/{uuid4()}/export")

    assert told["x-access"] == f"service with {holder}:people:export"
    assert f"{holder}:people:export" in GRANTS["identity"][holder]

"""The directory as admins see it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from catalog_service.app import create_app
from catalog_service.domain.actors import Actor
from catalog_service.domain.comedians import Comedian, ComedianDetails
from catalog_service.domain.shows import Show
from catalog_service.usecases.create_comedian import create_comedian
from catalog_service.wiring import Wiring
from service_kit.seeding import seed_id
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., Show]
REGISTRY = "/api/v1/admin/comedians"
ORGANIZER = Actor(id=seed_id("user:organizer@comedy.example"), role="ORGANIZER", approved=True)


@pytest.fixture
def admins(issuer: TokenIssuer) -> dict[str, str]:
    return issuer.admin(uuid4())


@pytest.fixture
def add(use: Wiring) -> Callable[..., Comedian]:
    def make(*, by: Actor = ORGANIZER, name: str = "Imran Baig") -> Comedian:
        return create_comedian(use.begin, actor=by, details=ComedianDetails(name=name))

    return make


def entry_of(client: FlaskClient, headers: dict[str, str], comedian_id: UUID) -> dict[str, Any]:
    listed = client.get(REGISTRY, headers=headers).get_json()["comedians"]
    found: dict[str, Any] = next(each for each in listed if each["id"] == str(comedian_id))
    return found


def test_everybodys_entries_are_listed_newest_first(
    client: FlaskClient, add: Callable[..., Comedian], admins: dict[str, str]
) -> None:
    made = [str(add(by=Actor(id=uuid4(), role="ADMIN", approved=False)).id) for _ in range(3)]

    query: dict[str, Any] = {"limit": 2}
    first = client.get(REGISTRY, query_string=query, headers=admins).get_json()
    query["cursor"] = first["nextCursor"]
    second = client.get(REGISTRY, query_string=query, headers=admins).get_json()

    listed = [*first["comedians"], *second["comedians"]]
    assert [entry["id"] for entry in listed][:3] == made[::-1]


def test_an_entry_tells_its_creator_and_how_many_shows_it_is_in(
    connected: Wiring,
    issuer: TokenIssuer,
    add: Callable[..., Comedian],
    draft: ShowFactory,
    admins: dict[str, str],
) -> None:
    comedian = add()
    for _ in range(2):
        draft(comedian_ids=[comedian.id])
    client = create_app(replace(connected, verifier=issuer.verifier("catalog"))).test_client()

    entry = entry_of(client, admins, comedian.id)

    assert entry.pop("createdAt").endswith("Z")
    assert entry == {
        "id": str(comedian.id),
        "name": "Imran Baig",
        "bio": None,
        "profileImageUrl": None,
        "creator": {
            "email": "organizer@comedy.example",
            "organizerProfile": {"name": "Laughing Buddha Nights"},
        },
        "_count": {"showComedians": 2},
    }


def test_without_identity_creators_are_unknown_and_one_that_is_gone_is_null(
    client: FlaskClient, use: Wiring, add: Callable[..., Comedian], admins: dict[str, str]
) -> None:
    of_somebody, of_nobody = add(), add()
    with use.engine.begin() as connection:
        connection.execute(
            text("UPDATE catalog.comedian SET created_by = NULL WHERE id = :id"),
            {"id": of_nobody.id},
        )

    assert entry_of(client, admins, of_somebody.id)["creator"] == {
        "email": None,
        "organizerProfile": None,
    }
    assert entry_of(client, admins, of_nobody.id)["creator"] is None

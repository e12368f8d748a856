"""A creator's standing: the newest version counts, and hides what it must hide."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from catalog_service.domain.actors import Actor
from catalog_service.domain.errors import CreatorNotAllowed
from catalog_service.usecases.publish_show import publish_show
from catalog_service.wiring import Wiring
from service_kit.testing import TokenIssuer

ADMIN = Actor(id=uuid4(), role="ADMIN", approved=False)


@pytest.fixture
def owner() -> Actor:
    return Actor(id=uuid4(), role="ORGANIZER", approved=True)


@pytest.fixture
def tell(client: FlaskClient, issuer: TokenIssuer) -> Any:
    headers = issuer.service("identity", audience="catalog", scope="catalog:standing:write")

    def put(creator_id: UUID, *, allowed: bool, version: int) -> tuple[bool, int]:
        response = client.put(
            f"/internal/creators/{creator_id}/standing",
            json={"allowed": allowed, "version": version},
            headers=headers,
        )
        assert response.status_code == 200, response.get_json()
        answer = response.get_json()
        return answer["applied"], answer["version"]

    return put


def test_the_newest_standing_counts_however_it_arrives(tell: Any, owner: Actor) -> None:
    assert tell(owner.id, allowed=False, version=5) == (True, 5)
    assert tell(owner.id, allowed=False, version=5) == (True, 5)
    assert tell(owner.id, allowed=True, version=5) == (False, 5)
    assert tell(owner.id, allowed=True, version=4) == (False, 5)
    assert tell(owner.id, allowed=True, version=6) == (True, 6)


def test_standings_that_arrive_at_once_leave_the_newest(
    tell: Any, use: Wiring, owner: Actor
) -> None:
    versions = [number * 8 % 21 for number in range(1, 21)]  # 1 to 20, mixed

    with ThreadPoolExecutor(8) as senders:
        list(senders.map(lambda n: tell(owner.id, allowed=n % 2 == 1, version=n), versions))

    with use.read() as tx:
        assert not tx.standings.is_allowed(owner.id)
    assert tell(owner.id, allowed=False, version=20) == (True, 20)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"allowed": "perhaps", "version": 1},
        {"allowed": True, "version": 0},
        {"allowed": True, "version": 2**63},
        {"allowed": True, "version": 1, "reason": "x"},
    ],
    ids=str,
)
def test_what_is_no_standing_is_refused(
    client: FlaskClient, issuer: TokenIssuer, body: dict[str, Any]
) -> None:
    headers = issuer.service("identity", audience="catalog", scope="catalog:standing:write")

    response = client.put(f"/internal/creators/{uuid4()}/standing", json=body, headers=headers)

    assert response.status_code == 422


def test_a_creators_shows_leave_the_public_and_come_back(
    tell: Any, client: FlaskClient, issuer: TokenIssuer, published: Any, owner: Actor
) -> None:
    city = f"City {uuid4().hex}"
    show = published(by=owner, city=city)
    other = published(city=city)
    path = f"/api/v1/shows/{show.id}"
    mine = issuer.user(owner.id, role=owner.role)
    admins = issuer.admin(ADMIN.id)

    def discovered() -> set[str]:
        shows = client.get("/api/v1/shows", query_string={"city": city}).get_json()["shows"]
        return {each["id"] for each in shows}

    assert discovered() == {str(show.id), str(other.id)}
    tell(owner.id, allowed=False, version=1)
    assert discovered() == {str(other.id)}
    assert client.get(path).status_code == 404
    assert client.get(path, headers=issuer.user(uuid4())).status_code == 404
    assert client.get(path, headers=mine).status_code == 200
    assert client.get(path, headers=admins).status_code == 200
    own = client.get("/api/v1/shows?mode=manage", headers=mine).get_json()["shows"]
    assert [each["id"] for each in own] == [str(show.id)]

    tell(owner.id, allowed=True, version=2)
    assert discovered() == {str(show.id), str(other.id)}
    assert client.get(path).status_code == 200


def test_nobody_publishes_the_show_of_a_creator_who_is_not_allowed(
    tell: Any, use: Wiring, draft: Any, owner: Actor
) -> None:
    show = draft(by=owner)
    tell(owner.id, allowed=False, version=1)

    for actor in (owner, ADMIN):
        with pytest.raises(CreatorNotAllowed):
            publish_show(use.begin, actor=actor, show_id=show.id, now=use.now())

    tell(owner.id, allowed=True, version=2)
    publish_show(use.begin, actor=owner, show_id=show.id, now=use.now())

"""What identity collects for a person's export."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from catalog_service import models
from catalog_service.domain.actors import Actor
from catalog_service.domain.comedians import ComedianDetails
from catalog_service.domain.media import Media, MediaKind
from catalog_service.domain.shows import Show
from catalog_service.domain.standings import Standing
from catalog_service.usecases.cancel_show import cancel_show
from catalog_service.usecases.create_comedian import create_comedian
from catalog_service.wiring import Wiring
from service_kit.openapi import camel_case
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., Show]

# Which section has the rows of a table; None: it is about nobody, or made of what is given anyway.
SECTIONS: dict[str, str | None] = {
    "show": "shows",
    "show_comedian": "placesOnBills",
    "show_search": None,  # the words of shows, for finding them
    "comedian": "ownEntry",
    "media": "media",
    "show_change": "changesRequested",
    "creator_standing": "standingAsCreator",
    "rate_count": None,  # keyed hashes, gone after three minutes
    "account_deletion": None,  # keyed hashes, from which nobody gets back to a person
    "fenced_person": None,  # while an account is being deleted: nobody exports it then
}


@pytest.fixture
def export(client: FlaskClient, issuer: TokenIssuer) -> Callable[[UUID], Any]:
    headers = issuer.service("identity", audience="catalog", scope="catalog:people:export")

    def ask(person_id: UUID) -> Any:
        answer = client.get(f"/internal/people/{person_id}/export", headers=headers)
        assert answer.status_code == 200
        return answer.get_json()

    return ask


def test_everything_about_a_person_and_nothing_about_others_is_given(
    use: Wiring, published: ShowFactory, draft: ShowFactory, export: Callable[[UUID], Any]
) -> None:
    person = Actor(id=uuid4(), role="COMEDIAN", approved=True)
    other = Actor(id=uuid4(), role="ORGANIZER", approved=True)
    own, created, foreign = (
        create_comedian(
            use.begin, actor=by, details=ComedianDetails(name="Imran Baig"), user_id=user_id
        ).id
        for by, user_id in ((person, person.id), (person, None), (other, None))
    )
    show = published(by=person, comedian_ids=[foreign])
    draft(by=other, comedian_ids=[own])
    cancel_show(use.begin, actor=person, show_id=show.id, reason="Ill", now=use.now())
    with use.begin() as tx:
        tx.standings.put(Standing(person.id, allowed=True, version=1))
        for owner in (person, other):
            key, digest = f"{uuid4().hex}.webp", "0" * 64
            tx.media.add(
                Media(key=key, owner_id=owner.id, kind=MediaKind.PROFILE, size=1, sha256=digest)
            )

    given = export(person.id)

    ids = {name: [row.get("id") for row in rows] for name, rows in given.items()}
    assert ids["shows"] == [str(show.id)]
    assert ids["comediansCreated"] == [str(own), str(created)]
    assert ids["ownEntry"] == [str(own)]
    assert [row["comedianId"] for row in given["placesOnBills"]] == [str(foreign), str(own)]
    wishes = [(row["kind"], row["status"]) for row in given["changesRequested"]]
    assert wishes == [("PUBLISH", "APPLIED"), ("CANCEL", "OPEN")]
    assert [row["ownerId"] for row in given["media"]] == [str(person.id)]
    assert [row["version"] for row in given["standingAsCreator"]] == [1]
    assert given["shows"][0]["startsAt"].endswith("Z")
    assert str(other.id) not in str(given)
    for table, section in SECTIONS.items():
        if section is not None:
            columns = models.Base.metadata.tables[f"catalog.{table}"].columns
            assert given[section][0].keys() == {camel_case(column.name) for column in columns}


def test_of_somebody_unknown_nothing_is_given(export: Callable[[UUID], Any]) -> None:
    assert not any(export(uuid4()).values())


def test_every_table_is_given_or_said_to_be_about_nobody() -> None:
    tables = {name.removeprefix("catalog.") for name in models.Base.metadata.tables}

    assert tables == set(SECTIONS)

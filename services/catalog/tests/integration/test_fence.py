"""A person whose account may be deleted: hidden and held still; as before once it is lifted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from catalog_service.app import create_app
from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import OwnFee
from catalog_service.domain.comedians import ComedianDetails
from catalog_service.domain.edits import Edit
from catalog_service.domain.errors import AccountClosed
from catalog_service.domain.media import Media, MediaKind
from catalog_service.domain.shows import Show
from catalog_service.usecases.cancel_show import cancel_show
from catalog_service.usecases.create_comedian import create_comedian
from catalog_service.usecases.delete_comedian import delete_comedian
from catalog_service.usecases.delete_show import delete_show
from catalog_service.usecases.edit_comedian import edit_comedian
from catalog_service.usecases.edit_show import edit_show
from catalog_service.usecases.publish_show import publish_show
from catalog_service.usecases.set_show_fee import set_show_fee
from catalog_service.usecases.settle_change import settle_change
from catalog_service.usecases.unpublish_show import unpublish_show
from catalog_service.wiring import Wiring
from devstack.testing import eventually
from service_kit.testing import TokenIssuer

Tell = Callable[[str, UUID, UUID], Any]
Dump = Callable[[], dict[str, list[str]]]
ShowFactory = Callable[..., Show]

ADMIN = Actor(id=uuid4(), role="ADMIN", approved=False)
SHOWS = "/api/v1/shows"
NOTHING: dict[str, Any] = {"reasons": [], "counts": {}}


@pytest.fixture
def owner() -> Actor:
    return Actor(id=uuid4(), role="ORGANIZER", approved=True)


def edit(use: Wiring, show: Show, actor: Actor, **details: Any) -> None:
    edit_show(
        use.begin,
        actor=actor,
        show_id=show.id,
        edit=Edit(details),
        seen_version=None,
        now=use.now(),
    )


def test_the_public_loses_sight_of_a_fenced_creators_shows_until_the_fence_is_lifted(
    use: Wiring,
    client: FlaskClient,
    issuer: TokenIssuer,
    published: ShowFactory,
    tell: Tell,
    owner: Actor,
) -> None:
    comedian = create_comedian(use.begin, actor=ADMIN, details=ComedianDetails(name="Imran Baig"))
    word = f"word{uuid4().hex}"
    show = published(by=owner, title=word, comedian_ids=[comedian.id])
    other = published(title=word, comedian_ids=[comedian.id])
    saga = uuid4()

    def found(**query: Any) -> set[str]:
        return {each["id"] for each in client.get(SHOWS, query_string=query).get_json()["shows"]}

    def seen() -> list[set[str]]:
        page = client.get(f"/api/v1/comedians/{comedian.id}").get_json()["shows"]
        return [found(q=word), found(comedianId=comedian.id), {each["id"] for each in page}]

    def status(headers: dict[str, str] | None = None) -> int:
        return client.get(f"{SHOWS}/{show.id}", headers=headers or {}).status_code

    assert seen() == 3 * [{str(show.id), str(other.id)}]
    assert tell("fence", saga, owner.id) == {"state": "FENCED", **NOTHING}

    assert seen() == 3 * [{str(other.id)}]
    assert status() == 404
    assert status(issuer.user(uuid4(), role="ORGANIZER", approved=True)) == 404
    assert status(issuer.admin(ADMIN.id)) == 200

    assert tell("lift", saga, owner.id) == {"state": "LIFTED", **NOTHING}
    assert seen() == 3 * [{str(show.id), str(other.id)}]
    assert status() == 200


def test_pages_in_memory_forget_a_fenced_creators_shows_by_themselves(
    use: Wiring, published: ShowFactory, tell: Tell, owner: Actor
) -> None:
    city = f"City {uuid4().hex}"
    show = published(by=owner, city=city)
    client = create_app(use).test_client()

    def is_seen() -> bool:
        shows = client.get(SHOWS, query_string={"city": city}).get_json()["shows"]
        return bool(shows) or client.get(f"{SHOWS}/{show.id}").status_code == 200

    assert is_seen()
    tell("fence", uuid4(), owner.id)

    eventually(lambda: not is_seen())


def test_nobody_changes_what_a_fenced_person_has_and_the_person_writes_nothing(
    use: Wiring,
    published: ShowFactory,
    draft: ShowFactory,
    upload: Callable[..., Media],
    tell: Tell,
    everything: Dump,
    owner: Actor,
) -> None:
    sold, written = published(by=owner), draft(by=owner)
    entry = create_comedian(use.begin, actor=owner, details=ComedianDetails(name="Imran Baig"))
    tell("fence", uuid4(), owner.id)
    before = everything()

    def by(actor: Actor) -> list[Callable[[], object]]:
        now = use.now()
        return [
            lambda: edit(use, written, actor, title="Another"),
            lambda: edit(use, sold, actor, description="Another"),
            lambda: edit(use, sold, actor, capacity=5),
            lambda: publish_show(use.begin, actor=actor, show_id=written.id, now=now),
            lambda: cancel_show(use.begin, actor=actor, show_id=sold.id, reason="Ill", now=now),
            lambda: delete_show(use.begin, actor=actor, show_id=written.id),
            lambda: edit_comedian(
                use.begin, actor=actor, comedian_id=entry.id, changes={"name": "Another"}
            ),
            lambda: delete_comedian(use.begin, actor=actor, comedian_id=entry.id),
        ]

    attempts: list[Callable[[], object]] = [
        *by(owner),
        *by(ADMIN),
        lambda: unpublish_show(use.begin, actor=ADMIN, show_id=sold.id),
        lambda: set_show_fee(use.begin, actor=ADMIN, show_id=written.id, fee=OwnFee(500)),
        lambda: draft(by=owner),
        lambda: create_comedian(use.begin, actor=owner, details=ComedianDetails(name="Zoya")),
        lambda: upload(by=owner, kind=MediaKind.SHOW),
        lambda: upload(by=owner),
    ]
    for attempt in attempts:
        with pytest.raises(AccountClosed):
            attempt()

    assert everything() == before


def test_a_fenced_admin_changes_nobodys_show(use: Wiring, draft: ShowFactory, tell: Tell) -> None:
    admin = Actor(id=uuid4(), role="ADMIN", approved=False)
    show = draft()
    tell("fence", uuid4(), admin.id)

    with pytest.raises(AccountClosed):
        edit(use, show, admin, title="Another")


def test_that_somebody_is_fenced_is_told_to_nobody_who_may_not_edit(
    client: FlaskClient, issuer: TokenIssuer, draft: ShowFactory, tell: Tell, owner: Actor
) -> None:
    show = draft(by=owner)
    tell("fence", uuid4(), owner.id)

    def answer(headers: dict[str, str]) -> tuple[int, str]:
        response = client.put(f"{SHOWS}/{show.id}", json={"title": "Another"}, headers=headers)
        return response.status_code, response.get_json()["code"]

    assert answer(issuer.user(uuid4(), role="ORGANIZER", approved=True)) == (404, "NOT_FOUND")
    assert answer(issuer.admin(ADMIN.id)) == (409, "ACCOUNT_CLOSED")


def test_a_lifted_fence_leaves_everything_as_it_was(
    use: Wiring, published: ShowFactory, draft: ShowFactory, tell: Tell, everything: Dump
) -> None:
    owner = Actor(id=uuid4(), role="COMEDIAN", approved=True)
    create_comedian(use.begin, actor=owner, details=ComedianDetails(name="Imran"), user_id=owner.id)
    published(by=owner)
    show = draft(by=owner)
    saga = uuid4()
    before = everything()

    assert [tell("fence", saga, owner.id)["state"] for _ in range(2)] == 2 * ["FENCED"]
    assert everything() != before
    assert [tell("lift", saga, owner.id)["state"] for _ in range(2)] == 2 * ["LIFTED"]

    assert everything() == before
    edit(use, show, owner, title="Another")


@pytest.mark.parametrize(
    ("cancelling", "code", "doing"),
    [(False, "CHANGE_IN_PROGRESS", "changed"), (True, "CANCELLATION_RUNNING", "cancelled")],
)
def test_a_fence_is_refused_while_a_change_is_not_decided_and_fences_nothing(
    use: Wiring,
    published: ShowFactory,
    tell: Tell,
    everything: Dump,
    owner: Actor,
    cancelling: bool,
    code: str,
    doing: str,
) -> None:
    show = published(by=owner, title="Late Show")
    change = (
        cancel_show(use.begin, actor=owner, show_id=show.id, reason="Ill", now=use.now())
        if cancelling
        else unpublish_show(use.begin, actor=ADMIN, show_id=show.id)
    )
    before, saga = everything(), uuid4()

    refused = tell("fence", saga, owner.id)

    assert refused == {
        "state": "REFUSED",
        "reasons": [
            {
                "code": code,
                "message": f"“Late Show” is being {doing} right now. Please try again in a minute.",
                "shows": [{"id": str(show.id), "title": "Late Show"}],
            }
        ],
        "counts": {},
    }
    assert everything() == before
    settle_change(use.begin, change_id=change.id, refusal=None)
    assert tell("fence", saga, owner.id)["state"] == "FENCED"


def test_commands_that_arrive_late_or_for_somebody_else_change_nothing(
    tell: Tell, everything: Dump, owner: Actor
) -> None:
    before, saga, another = everything(), uuid4(), uuid4()

    assert tell("lift", saga, owner.id)["state"] == "LIFTED"
    assert tell("fence", saga, owner.id)["state"] == "LIFTED"
    assert everything() == before
    assert tell("fence", another, owner.id)["state"] == "FENCED"
    fenced = everything()
    assert tell("fence", uuid4(), owner.id)["code"] == "ANOTHER_DELETION"
    assert tell("fence", another, uuid4())["code"] == "ANOTHER_DELETION"
    assert tell("lift", another, uuid4())["code"] == "ANOTHER_DELETION"
    assert tell("lift", uuid4(), owner.id)["state"] == "LIFTED"
    assert everything() == fenced


def test_a_standing_that_arrives_meanwhile_counts_after_the_lift(
    client: FlaskClient,
    issuer: TokenIssuer,
    published: ShowFactory,
    tell: Tell,
    owner: Actor,
) -> None:
    show, saga = published(by=owner), uuid4()
    tell("fence", saga, owner.id)
    headers = issuer.service("identity", audience="catalog", scope="catalog:standing:write")
    path = f"/internal/creators/{owner.id}/standing"
    client.put(path, json={"allowed": False, "version": 1}, headers=headers)
    tell("lift", saga, owner.id)

    assert client.get(f"{SHOWS}/{show.id}").status_code == 404
    client.put(path, json={"allowed": True, "version": 2}, headers=headers)
    assert client.get(f"{SHOWS}/{show.id}").status_code == 200


def test_a_change_at_the_moment_of_the_fence_either_stops_it_or_is_refused(
    use: Wiring, draft: ShowFactory, tell: Tell
) -> None:
    for number in range(12):
        owner = Actor(id=uuid4(), role="ORGANIZER", approved=True)
        show, at_once = draft(by=owner), Barrier(2)

        def publish(owner: Actor = owner, show: Show = show, at_once: Barrier = at_once) -> bool:
            at_once.wait()
            try:
                publish_show(use.begin, actor=owner, show_id=show.id, now=use.now())
            except AccountClosed:
                return False
            return True

        with ThreadPoolExecutor(1) as people:
            published = people.submit(publish)
            at_once.wait()
            fenced = tell("fence", uuid4(), owner.id)["state"] == "FENCED"
            assert published.result() != fenced, number


def test_what_the_person_does_at_the_moment_of_the_fence_is_done_before_it_or_refused(
    use: Wiring, draft: ShowFactory, tell: Tell, everything: Dump
) -> None:
    for _ in range(6):
        owner = Actor(id=uuid4(), role="ORGANIZER", approved=True)
        show, at_once = draft(by=owner), Barrier(4)

        def attempt(do: Callable[[], object], at_once: Barrier = at_once) -> None:
            at_once.wait()
            try:
                do()
            except AccountClosed:
                return

        actions: list[Callable[[], object]] = [
            partial(draft, by=owner),
            partial(edit, use, show, ADMIN, title="Another"),
            partial(create_comedian, use.begin, actor=owner, details=ComedianDetails(name="Zoya")),
        ]
        with ThreadPoolExecutor(3) as people:
            under_way = [people.submit(attempt, each) for each in actions]
            at_once.wait()
            tell("fence", uuid4(), owner.id)
            after = everything()
            for each in under_way:
                each.result()
        assert everything() == after

"""Entries that several people change at the same time, and the bills they are on."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from catalog_service.domain.actors import Actor
from catalog_service.domain.comedians import Comedian, ComedianDetails
from catalog_service.domain.errors import ComedianInUse, InvalidFields, NotApproved
from catalog_service.domain.shows import Show
from catalog_service.usecases.create_comedian import create_comedian
from catalog_service.usecases.delete_comedian import delete_comedian
from catalog_service.usecases.edit_comedian import edit_comedian
from catalog_service.usecases.publish_show import publish_show
from catalog_service.wiring import Wiring

ShowFactory = Callable[..., Show]


def make_actor(role: str = "ORGANIZER", *, approved: bool = True) -> Actor:
    return Actor(id=uuid4(), role=role, approved=approved)


@pytest.fixture
def owner() -> Actor:
    return make_actor()


@pytest.fixture
def entry(use: Wiring, owner: Actor) -> Comedian:
    return create_comedian(use.begin, actor=owner, details=ComedianDetails(name="Imran Baig"))


def bill_of(use: Wiring, show: Show) -> list[Comedian]:
    with use.read() as tx:
        return [place.comedian for place in tx.comedians.bills([show.id])[show.id]]


def test_edits_at_the_same_time_keep_what_each_of_them_changed(
    use: Wiring, owner: Actor, entry: Comedian
) -> None:
    edits: list[dict[str, Any]] = [
        {"name": "Imran"},
        {"stage_name": "Baig"},
        {"bio": "Storyteller."},
        {"promo_video_url": "https://youtu.be/x"},
        {"youtube_urls": ("https://youtu.be/y",)},
        {"social_links": {"twitter": "imran"}},
    ]

    with ThreadPoolExecutor(len(edits)) as people:
        for edited in [
            people.submit(
                edit_comedian, use.begin, actor=owner, comedian_id=entry.id, changes=changes
            )
            for changes in edits
        ]:
            edited.result()

    expected = ComedianDetails(**{name: value for edit in edits for name, value in edit.items()})
    with use.read() as tx:
        assert tx.comedians.find(entry.id).details == expected


def test_a_deleted_entry_goes_off_the_bills_of_its_creators_drafts(
    use: Wiring, draft: ShowFactory, owner: Actor, entry: Comedian
) -> None:
    others = [
        create_comedian(use.begin, actor=owner, details=ComedianDetails(name=name)) for name in "ab"
    ]
    show = draft(by=owner, comedian_ids=[others[0].id, entry.id, others[1].id])

    delete_comedian(use.begin, actor=owner, comedian_id=entry.id)

    assert bill_of(use, show) == others


@pytest.mark.parametrize("user", ["published show", "draft being published", "another's draft"])
def test_an_entry_that_any_other_show_uses_stays_on_all_bills(
    use: Wiring,
    draft: ShowFactory,
    published: ShowFactory,
    owner: Actor,
    entry: Comedian,
    user: str,
) -> None:
    makers: dict[str, Callable[[], Show]] = {
        "published show": lambda: published(by=owner, comedian_ids=[entry.id]),
        "draft being published": lambda: draft(by=owner, comedian_ids=[entry.id]),
        "another's draft": lambda: draft(comedian_ids=[entry.id]),
    }
    own_draft, using = draft(by=owner, comedian_ids=[entry.id]), makers[user]()
    if user == "draft being published":
        publish_show(use.begin, actor=owner, show_id=using.id, now=use.now())

    with pytest.raises(ComedianInUse):
        delete_comedian(use.begin, actor=owner, comedian_id=entry.id)

    assert bill_of(use, own_draft) == bill_of(use, using) == [entry]


def test_a_draft_that_is_published_at_this_moment_keeps_its_bill(
    use: Wiring, draft: ShowFactory, owner: Actor, entry: Comedian
) -> None:
    show = draft(by=owner, comedian_ids=[entry.id])

    with use.begin() as tx:
        tx.shows.lock(show.id)
        with pytest.raises(ComedianInUse):
            delete_comedian(use.begin, actor=owner, comedian_id=entry.id)


def test_an_admins_deletion_leaves_the_bills_of_other_creators_alone(
    use: Wiring, draft: ShowFactory, entry: Comedian
) -> None:
    admin = make_actor("ADMIN")
    show = draft(by=admin, comedian_ids=[entry.id])

    with pytest.raises(ComedianInUse):
        delete_comedian(use.begin, actor=admin, comedian_id=entry.id)

    assert bill_of(use, show) == [entry]


def test_a_show_put_on_while_its_performer_is_deleted_has_the_performer_or_is_refused(
    use: Wiring, draft: ShowFactory, owner: Actor
) -> None:
    for _ in range(8):
        entry = create_comedian(use.begin, actor=owner, details=ComedianDetails(name="x"))

        def put_on(comedian: Comedian = entry) -> Show | None:
            try:
                return draft(comedian_ids=[comedian.id])
            except InvalidFields:
                return None

        def delete(comedian: Comedian = entry) -> bool:
            try:
                delete_comedian(use.begin, actor=owner, comedian_id=comedian.id)
            except ComedianInUse:
                return False
            return True

        with ThreadPoolExecutor(2) as people:
            show, deleted = people.submit(put_on), people.submit(delete)
        put = show.result()
        assert (put is None) == deleted.result()
        assert put is None or bill_of(use, put) == [entry]


def test_who_is_not_approved_any_more_changes_nothing(
    use: Wiring, owner: Actor, entry: Comedian
) -> None:
    revoked = Actor(id=owner.id, role=owner.role, approved=False)

    with pytest.raises(NotApproved):
        edit_comedian(use.begin, actor=revoked, comedian_id=entry.id, changes={"name": "x"})
    with pytest.raises(NotApproved):
        delete_comedian(use.begin, actor=revoked, comedian_id=entry.id)
    with use.read() as tx:
        assert tx.comedians.find(entry.id) == entry

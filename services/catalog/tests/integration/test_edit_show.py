"""Editing: at once where nobody is concerned, as a wish where buyers could be."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeKind, ChangeStatus, ShowChange
from catalog_service.domain.comedians import ComedianDetails
from catalog_service.domain.edits import Edit
from catalog_service.domain.errors import (
    ChangeInProgress,
    InvalidFields,
    ShowChangedMeanwhile,
    ShowNotFound,
)
from catalog_service.domain.offers import Refusal
from catalog_service.domain.shows import Show, ShowStatus
from catalog_service.usecases.create_comedian import create_comedian
from catalog_service.usecases.delete_comedian import delete_comedian
from catalog_service.usecases.edit_show import edit_show
from catalog_service.usecases.publish_show import publish_show
from catalog_service.usecases.settle_change import settle_change
from catalog_service.wiring import Wiring

ADMIN = Actor(id=uuid4(), role="ADMIN", approved=False)
SOLD = Refusal("HAS_ACTIVE_BOOKINGS", "Tickets have been sold.")

ShowFactory = Callable[..., Show]


@pytest.fixture
def owner() -> Actor:
    return Actor(id=uuid4(), role="ORGANIZER", approved=True)


@pytest.fixture
def comedians(use: Wiring) -> list[UUID]:
    return [listed(use, ADMIN) for _ in range(3)]


def listed(use: Wiring, by: Actor, *, own: bool = False) -> UUID:
    details = ComedianDetails(name="Imran Baig")
    user_id = by.id if own else None
    return create_comedian(use.begin, actor=by, details=details, user_id=user_id).id


def edit(
    use: Wiring,
    show: Show,
    by: Actor,
    *,
    bill: list[UUID] | None = None,
    seen: int | None = None,
    **details: Any,
) -> ShowChange | None:
    wanted = Edit(details, None if bill is None else tuple(bill))
    return edit_show(
        use.begin, actor=by, show_id=show.id, edit=wanted, seen_version=seen, now=use.now()
    )


def stored(use: Wiring, show: Show) -> Show:
    with use.read() as tx:
        found = tx.shows.find(show.id)
    assert found is not None
    return found


def bill_of(use: Wiring, show: Show) -> list[UUID]:
    with use.read() as tx:
        return list(tx.comedians.bill(show.id))


def work_of(use: Wiring, prefix: str) -> int:
    query = "SELECT count(*) FROM catalog_workflows.workflow_status WHERE workflow_uuid LIKE %s"
    with use.engine.connect() as connection:
        count = connection.exec_driver_sql(query, (f"{prefix}%",)).scalar_one()
    return int(count)


def test_a_draft_is_edited_at_once_and_mirrored(
    use: Wiring, draft: ShowFactory, owner: Actor, comedians: list[UUID]
) -> None:
    show = draft(by=owner)

    assert edit(use, show, owner, price_paise=0, capacity=5, bill=comedians) is None

    after = stored(use, show)
    assert (after.details.price_paise, after.details.capacity, after.version) == (0, 5, 2)
    assert bill_of(use, show) == comedians
    assert work_of(use, f"mirror:{show.id}:2") == 1


def test_booking_is_told_every_version_even_of_what_it_does_not_know(
    use: Wiring, draft: ShowFactory, owner: Actor
) -> None:
    show = draft(by=owner)

    edit(use, show, owner, description="New", youtube_urls=("https://youtu.be/x",))

    assert stored(use, show).version == 2
    assert work_of(use, f"mirror:{show.id}:2") == 1


def test_an_edit_that_says_nothing_new_changes_nothing(
    use: Wiring, published: ShowFactory, owner: Actor
) -> None:
    show = published(by=owner)

    assert edit(use, show, owner, capacity=show.details.capacity, bill=[]) is None

    assert stored(use, show) == show


def test_a_published_shows_description_and_additions_to_its_bill_apply_at_once(
    use: Wiring, published: ShowFactory, owner: Actor, comedians: list[UUID]
) -> None:
    show = published(by=owner, comedian_ids=comedians[:1])

    assert edit(use, show, owner, description="New", bill=comedians) is None

    assert stored(use, show).details.description == "New"
    assert bill_of(use, show) == comedians


def test_an_edit_of_both_kinds_is_one_wish_applied_as_a_whole(
    use: Wiring, published: ShowFactory, owner: Actor, comedians: list[UUID]
) -> None:
    show = published(by=owner, comedian_ids=comedians)

    change = edit(use, show, owner, description="New", capacity=50, bill=comedians[:1])

    assert change is not None
    assert (change.kind, change.wish.unsold_only) == (ChangeKind.EDIT, True)
    assert stored(use, show) == show
    assert bill_of(use, show) == comedians
    assert work_of(use, f"change:{change.id}") == 1
    settle_change(use.begin, change_id=change.id, refusal=None)
    after = stored(use, show)
    assert (after.details.description, after.details.capacity) == ("New", 50)
    assert after.version == change.version
    assert bill_of(use, show) == comedians[:1]


def test_an_edit_of_both_kinds_that_is_refused_is_dropped_as_a_whole(
    use: Wiring, published: ShowFactory, owner: Actor, comedians: list[UUID]
) -> None:
    show = published(by=owner, comedian_ids=comedians)
    change = edit(use, show, owner, description="New", price_paise=100, bill=comedians[:1])
    assert change is not None

    settle_change(use.begin, change_id=change.id, refusal=SOLD)

    after = stored(use, show)
    assert after.details == show.details
    assert bill_of(use, show) == comedians
    assert work_of(use, f"mirror:{show.id}:{after.version}") == 1


def test_every_field_survives_the_way_through_a_wish(
    use: Wiring, published: ShowFactory, owner: Actor
) -> None:
    show = published(by=owner, description="Old", poster_image_url="https://images.example/x.webp")
    wanted: dict[str, Any] = {
        "title": "Closed Mic",
        "description": None,
        "starts_at": use.now() + timedelta(days=9),
        "duration_minutes": 61,
        "venue": "The Loft",
        "city": "Secunderabad",
        "google_maps_link": "https://goo.gl/maps/y",
        "price_paise": 0,
        "capacity": 7,
        "poster_image_url": None,
        "youtube_urls": ("https://youtu.be/y",),
        "instagram_urls": (),
    }

    change = edit(use, show, ADMIN, **wanted)
    assert change is not None
    settle_change(use.begin, change_id=change.id, refusal=None)

    details = stored(use, show).details
    assert {name: getattr(details, name) for name in wanted} == wanted


def test_who_left_the_directory_meanwhile_is_not_put_on_the_bill(
    use: Wiring, published: ShowFactory, owner: Actor, comedians: list[UUID]
) -> None:
    show = published(by=owner)
    gone = listed(use, owner)
    change = edit(use, show, owner, capacity=50, bill=[gone, *comedians])
    assert change is not None
    delete_comedian(use.begin, actor=owner, comedian_id=gone)

    settle_change(use.begin, change_id=change.id, refusal=None)

    assert bill_of(use, show) == comedians


def test_the_creators_own_entry_stays_on_the_bill(
    use: Wiring, draft: ShowFactory, comedians: list[UUID]
) -> None:
    comedian = Actor(id=uuid4(), role="COMEDIAN", approved=True)
    own = listed(use, comedian, own=True)
    show = draft(by=comedian)

    edit(use, show, comedian, bill=[comedians[0], comedians[0]])

    assert bill_of(use, show) == [comedians[0], own]


def test_a_comedian_who_does_not_exist_is_refused_by_field(
    use: Wiring, draft: ShowFactory, owner: Actor
) -> None:
    with pytest.raises(InvalidFields) as refusal:
        edit(use, draft(by=owner), owner, bill=[uuid4()])

    assert refusal.value.members["errors"].keys() == {"comedianIds"}


def test_nobody_edits_what_is_anothers(use: Wiring, draft: ShowFactory, owner: Actor) -> None:
    show = draft()

    with pytest.raises(ShowNotFound):
        edit(use, show, owner, capacity=5)
    assert edit(use, show, ADMIN, capacity=5) is None


def test_while_a_change_is_open_there_is_no_other(
    use: Wiring, draft: ShowFactory, owner: Actor
) -> None:
    show = draft(by=owner)
    publish_show(use.begin, actor=owner, show_id=show.id, now=use.now())

    for details in ({"description": "New"}, {"capacity": 5}, {}):
        with pytest.raises(ChangeInProgress):
            edit(use, show, owner, **details)

    assert stored(use, show) == show


def test_an_edit_of_what_has_changed_meanwhile_is_refused(
    use: Wiring, draft: ShowFactory, owner: Actor
) -> None:
    show = draft(by=owner)
    edit(use, show, owner, seen=1, description="First")

    with pytest.raises(ShowChangedMeanwhile):
        edit(use, show, owner, seen=1, description="Second")

    assert stored(use, show).details.description == "First"


def test_of_many_edits_of_what_was_seen_one_succeeds(
    use: Wiring, draft: ShowFactory, owner: Actor
) -> None:
    show = draft(by=owner)

    def attempt(number: int) -> int | None:
        try:
            edit(use, show, owner, seen=1, capacity=number)
        except ShowChangedMeanwhile:
            return None
        return number

    with ThreadPoolExecutor(8) as people:
        done = [number for number in people.map(attempt, range(1, 9)) if number is not None]

    assert [stored(use, show).details.capacity] == done


def test_edits_of_different_fields_at_once_all_survive(
    use: Wiring, draft: ShowFactory, owner: Actor
) -> None:
    show = draft(by=owner)
    wanted: dict[str, Any] = {"title": "A", "venue": "B", "capacity": 3, "price_paise": 400}

    with ThreadPoolExecutor(4) as people:
        for each in [people.submit(edit, use, show, owner, **{n: v}) for n, v in wanted.items()]:
            each.result()

    after = stored(use, show)
    assert {name: getattr(after.details, name) for name in wanted} == wanted
    assert after.version == 5


@pytest.mark.parametrize("round_", range(4))
def test_an_edit_and_a_publication_at_once_leave_one_of_two_orders(
    use: Wiring, draft: ShowFactory, owner: Actor, round_: int
) -> None:
    show = draft(by=owner)

    def do_edit() -> bool:
        try:
            edit(use, show, owner, price_paise=round_ * 100)
        except ChangeInProgress:
            return False
        return True

    with ThreadPoolExecutor(2) as people:
        editing = people.submit(do_edit)
        publishing = people.submit(
            publish_show, use.begin, actor=owner, show_id=show.id, now=use.now()
        )
        change = publishing.result()
        is_edited = editing.result()
    settle_change(use.begin, change_id=change.id, refusal=None)

    after = stored(use, show)
    price = round_ * 100 if is_edited else show.details.price_paise
    assert (after.status, after.details.price_paise) == (ShowStatus.PUBLISHED, price)
    assert change.version == (3 if is_edited else 2)
    with use.read() as tx:
        (decided,) = tx.changes.of_show(show.id, before_version=None, limit=2)
    assert decided.status is ChangeStatus.APPLIED

"""What an edit changes, who may make it, and when booking decides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeKind
from catalog_service.domain.edits import (
    API_NAMES,
    FIXED_ONCE_PUBLISHED,
    GUARDED,
    MOVES,
    Edit,
    check_edit,
    difference,
    edited,
    is_guarded,
)
from catalog_service.domain.errors import (
    FixedOncePublished,
    InvalidFields,
    ShowCancelled,
    ShowEnded,
)
from catalog_service.domain.shows import Show, ShowDetails, ShowStatus

NOW = datetime(2026, 8, 22, 14, 30, tzinfo=UTC)
OWNER = Actor(id=UUID(int=2), role="ORGANIZER", approved=True)
ADMIN = Actor(id=UUID(int=3), role="ADMIN", approved=False)
ANNA, BERT, CARL = UUID(int=11), UUID(int=12), UUID(int=13)

SHOW = Show(
    id=UUID(int=1),
    details=ShowDetails(
        title="Open Mic",
        starts_at=NOW + timedelta(days=3),
        venue="Lamakaan",
        google_maps_link="https://goo.gl/maps/x",
        price_paise=19_900,
        capacity=80,
        duration_minutes=90,
    ),
    status=ShowStatus.PUBLISHED,
    creator_id=OWNER.id,
    platform_fee_basis_points=None,
    version=3,
    created_at=NOW,
    updated_at=NOW,
)
DRAFT = replace(SHOW, status=ShowStatus.DRAFT)

OTHER: dict[str, Any] = {
    "title": "Closed Mic",
    "description": "New",
    "starts_at": NOW + timedelta(days=4),
    "duration_minutes": 60,
    "venue": "The Loft",
    "city": "Secunderabad",
    "google_maps_link": "https://goo.gl/maps/y",
    "price_paise": 29_900,
    "capacity": 90,
    "poster_image_url": "https://images.example/y.webp",
    "youtube_urls": ("https://youtu.be/y",),
    "instagram_urls": ("https://www.instagram.com/p/y/",),
}


def test_every_field_of_a_show_has_a_name_in_the_api() -> None:
    assert set(API_NAMES) == set(ShowDetails.__dataclass_fields__) == set(OTHER)


@pytest.mark.parametrize("name", OTHER)
def test_a_field_that_is_like_before_is_no_difference(name: str) -> None:
    same = Edit({name: getattr(SHOW.details, name)})

    assert difference(same, SHOW, ()).is_empty
    assert difference(Edit({name: OTHER[name]}), SHOW, ()) == Edit({name: OTHER[name]})


def test_a_date_is_the_same_if_it_is_shown_alike() -> None:
    moment = SHOW.details.starts_at.replace(microsecond=123_456)
    show = replace(SHOW, details=replace(SHOW.details, starts_at=moment))

    assert difference(Edit({"starts_at": moment.replace(microsecond=123_000)}), show, ()).is_empty
    assert not difference(Edit({"starts_at": moment.replace(microsecond=0)}), show, ()).is_empty


def test_the_order_of_a_bill_is_a_difference() -> None:
    assert difference(Edit(bill=(ANNA, BERT)), SHOW, (ANNA, BERT)).is_empty
    assert not difference(Edit(bill=(BERT, ANNA)), SHOW, (ANNA, BERT)).is_empty
    assert not difference(Edit(bill=()), SHOW, (ANNA,)).is_empty


@pytest.mark.parametrize(("name", "actor"), list(product(OTHER, [OWNER, ADMIN])))
def test_what_buyers_were_told_is_changed_by_admins_only(name: str, actor: Actor) -> None:
    edit = Edit({name: OTHER[name]})

    check_edit(edit, DRAFT, actor, now=NOW)
    if name in FIXED_ONCE_PUBLISHED and actor is OWNER:
        with pytest.raises(FixedOncePublished) as refusal:
            check_edit(edit, SHOW, actor, now=NOW)
        assert refusal.value.members["errors"].keys() == {API_NAMES[name]}
    else:
        check_edit(edit, SHOW, actor, now=NOW)


@pytest.mark.parametrize("actor", [OWNER, ADMIN])
def test_a_cancelled_show_is_edited_by_nobody(actor: Actor) -> None:
    with pytest.raises(ShowCancelled):
        check_edit(Edit(), replace(SHOW, status=ShowStatus.CANCELLED), actor, now=NOW)


def test_a_show_that_is_over_is_edited_by_admins_only() -> None:
    over = SHOW.details.starts_at + timedelta(minutes=90)
    edit = Edit({"description": "It was great."})

    check_edit(edit, SHOW, OWNER, now=over - timedelta(seconds=1))
    check_edit(edit, SHOW, ADMIN, now=over)
    check_edit(edit, DRAFT, OWNER, now=over)  # it never took place
    with pytest.raises(ShowEnded):
        check_edit(edit, SHOW, OWNER, now=over)


def test_only_what_is_changed_is_checked() -> None:
    late = DRAFT.details.starts_at + timedelta(days=1)

    check_edit(Edit({"title": "Too late"}), DRAFT, OWNER, now=late)
    with pytest.raises(InvalidFields) as refusal:
        check_edit(Edit({"starts_at": late}), DRAFT, OWNER, now=late)
    assert refusal.value.members["errors"].keys() == {"date"}


def test_an_admin_corrects_a_date_to_a_past_one_but_no_link_to_a_wrong_one() -> None:
    check_edit(Edit({"starts_at": NOW - timedelta(days=1)}), SHOW, ADMIN, now=NOW)
    with pytest.raises(InvalidFields):
        check_edit(Edit({"google_maps_link": "https://evil.example"}), SHOW, ADMIN, now=NOW)


@pytest.mark.parametrize("name", OTHER)
def test_booking_decides_what_concerns_buyers_of_a_published_show(name: str) -> None:
    edit = Edit({name: OTHER[name]})

    assert is_guarded(edit, SHOW, ()) is (name in GUARDED)
    assert not is_guarded(edit, DRAFT, ())
    assert (edit.kind is ChangeKind.RESCHEDULE) is (name in MOVES)


@pytest.mark.parametrize(
    ("before", "after", "guarded"),
    [
        ((ANNA,), (ANNA, BERT), False),
        ((ANNA, BERT), (BERT, ANNA), False),
        ((ANNA, BERT), (ANNA,), True),
        ((ANNA, BERT), (ANNA, CARL), True),
        ((), (), False),
        ((ANNA,), (), True),
    ],
)
def test_booking_decides_when_somebody_would_not_perform(
    before: tuple[UUID, ...], after: tuple[UUID, ...], guarded: bool
) -> None:
    assert is_guarded(Edit(bill=after), SHOW, before) is guarded


def test_an_edit_leaves_alone_what_it_does_not_name() -> None:
    assert edited(SHOW.details, Edit({"capacity": 1})) == replace(SHOW.details, capacity=1)
    assert edited(SHOW.details, Edit(OTHER)) == ShowDetails(**OTHER)


@pytest.mark.parametrize("actor", [OWNER, ADMIN])
@pytest.mark.parametrize(
    "starts_at",
    [
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-1))),
        datetime(9999, 12, 31, 23, 30, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        NOW + timedelta(days=5 * 365),
    ],
)
def test_nobody_moves_a_show_to_where_no_calendar_reaches(
    actor: Actor, starts_at: datetime
) -> None:
    with pytest.raises(InvalidFields) as refused:
        check_edit(Edit({"starts_at": starts_at}), DRAFT, actor, now=NOW)

    assert list(refused.value.members["errors"]) == ["date"]

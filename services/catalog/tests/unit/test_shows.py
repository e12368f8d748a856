from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from catalog_service.domain.actors import Actor
from catalog_service.domain.comedians import ComedianDetails, check_comedian
from catalog_service.domain.errors import InvalidFields
from catalog_service.domain.shows import ShowDetails, check_details

NOW = datetime(2026, 8, 22, 14, 30, tzinfo=UTC)


def details(**changes: object) -> ShowDetails:
    fields = {
        "title": "Open Mic",
        "starts_at": NOW + timedelta(microseconds=1),
        "venue": "Lamakaan",
        "google_maps_link": "https://goo.gl/maps/x",
        "price_paise": 0,
        "capacity": 1,
        **changes,
    }
    return ShowDetails(**fields)  # type: ignore[arg-type]


def test_a_show_in_the_future_is_fine() -> None:
    check_details(details(), now=NOW)


def test_a_show_that_begins_now_is_too_late() -> None:
    with pytest.raises(InvalidFields) as refusal:
        check_details(details(starts_at=NOW), now=NOW)

    assert refusal.value.members["errors"].keys() == {"date"}


def test_every_broken_rule_is_named_at_once() -> None:
    broken = details(
        starts_at=NOW - timedelta(days=1),
        google_maps_link="https://evil.example",
        poster_image_url="x",
        youtube_urls=("x",),
        instagram_urls=("x", "y"),
    )

    with pytest.raises(InvalidFields) as refusal:
        check_details(broken, now=NOW)

    assert refusal.value.members["errors"].keys() == {
        "date",
        "googleMapsLink",
        "posterImageUrl",
        "youtubeUrls",
        "instagramUrls",
    }


def test_every_broken_link_of_a_comedian_is_named_at_once() -> None:
    broken = ComedianDetails(
        name="X",
        profile_image_url="x",
        promo_video_url="x",
        youtube_urls=("x",),
        instagram_urls=("x",),
    )

    with pytest.raises(InvalidFields) as refusal:
        check_comedian(broken)

    assert len(refusal.value.members["errors"]) == 4


@pytest.mark.parametrize(
    ("role", "approved", "expected"),
    [
        ("AUDIENCE", False, False),
        ("AUDIENCE", True, False),
        ("ORGANIZER", False, False),
        ("ORGANIZER", True, True),
        ("COMEDIAN", False, False),
        ("COMEDIAN", True, True),
        ("ADMIN", False, True),
    ],
)
def test_approved_creators_and_admins_may_create(role: str, approved: bool, expected: bool) -> None:
    actor = Actor(id=UUID(int=1), role=role, approved=approved)

    assert actor.may_create is expected

"""Edits of a show: what they change, who may make them and whether booking decides.

The rules are in docs/rules.md#edits. Fields have the names of `ShowDetails`; refusals name them as
the API does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeKind, status_after
from catalog_service.domain.errors import FixedOncePublished, InvalidFields, ShowEnded
from catalog_service.domain.shows import (
    IMPOSSIBLE_DATE,
    Show,
    ShowDetails,
    ShowStatus,
    broken_rules,
    has_ended,
)

API_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "title": "title",
        "description": "description",
        "starts_at": "date",
        "duration_minutes": "durationMinutes",
        "venue": "venue",
        "city": "city",
        "google_maps_link": "googleMapsLink",
        "price_paise": "ticketPrice",
        "capacity": "totalTickets",
        "poster_image_url": "posterImageUrl",
        "youtube_urls": "youtubeUrls",
        "instagram_urls": "instagramUrls",
    }
)

MOVES = frozenset({"starts_at", "venue", "city"})  # buyers may have their money back
GUARDED = MOVES | {"duration_minutes", "price_paise", "capacity"}
FIXED_ONCE_PUBLISHED = MOVES | {"title", "duration_minutes"}  # but for admins


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be different; what is not named stays as it is."""

    details: Mapping[str, Any] = field(default_factory=dict)
    bill: tuple[UUID, ...] | None = None  # who performs, in order

    @property
    def is_empty(self) -> bool:
        """Whether everything stays as it is."""
        return not self.details and self.bill is None

    @property
    def kind(self) -> ChangeKind:
        """What the edit is called when booking decides it."""
        return ChangeKind.RESCHEDULE if MOVES & self.details.keys() else ChangeKind.EDIT

    @property
    def concerns_buyers(self) -> bool:
        """Whether a field is to be different by which buyers go."""
        return bool(GUARDED & self.details.keys())


def difference(edit: Edit, show: Show, bill: Sequence[UUID]) -> Edit:
    """Return what an edit says that a show and its bill are not like already.

    A form sends back all that it was shown, dates to the millisecond.
    """
    details = {
        name: value
        for name, value in edit.details.items()
        if _as_shown(value) != _as_shown(getattr(show.details, name))
    }
    same_bill = edit.bill is None or edit.bill == tuple(bill)
    return Edit(details, None if same_bill else edit.bill)


def check_edit(edit: Edit, show: Show, actor: Actor, *, now: datetime) -> None:
    """Check whether this person may edit this show like that.

    Raises:
        ShowCancelled: it does not change any more.
        ShowEnded: it is over; only admins correct it.
        FixedOncePublished: names the fields that only admins change now.
        InvalidFields: names the fields that would break a rule. A past date is no such thing
            to admins, who correct what was wrong.
    """
    status_after(show.status, edit.kind)
    published = show.status is ShowStatus.PUBLISHED
    if published and not actor.is_admin:
        if has_ended(show, now=now):
            raise ShowEnded
        fixed = sorted(API_NAMES[name] for name in FIXED_ONCE_PUBLISHED & edit.details.keys())
        if fixed:
            raise FixedOncePublished(fixed)
    changed = {API_NAMES[name] for name in edit.details}
    broken = broken_rules(edited(show.details, edit), now=now)
    if actor.is_admin and broken.get("date") != [IMPOSSIBLE_DATE]:
        changed -= {"date"}
    if errors := {name: messages for name, messages in broken.items() if name in changed}:
        raise InvalidFields(errors)


def is_guarded(edit: Edit, show: Show, bill: Sequence[UUID]) -> bool:
    """Return whether booking decides: a draft has no buyers to be protected."""
    return show.status is ShowStatus.PUBLISHED and (
        edit.concerns_buyers or removes_performers(edit, bill)
    )


def removes_performers(edit: Edit, bill: Sequence[UUID]) -> bool:
    """Return whether somebody who was announced would not perform."""
    return edit.bill is not None and not set(bill) <= set(edit.bill)


def edited(details: ShowDetails, edit: Edit) -> ShowDetails:
    """Return the details as they are after an edit."""
    return replace(details, **edit.details)


def _as_shown(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    return value

"""Guarded changes: wishes that take effect only when the sales side agrees (docs/rules.md#changes).

A change is OPEN until booking has answered, then APPLIED or REFUSED for ever. A show has at most
one open change, and no version is ever used twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from catalog_service.domain.errors import AlreadyPublished, CatalogError, ShowCancelled
from catalog_service.domain.shows import Show, ShowStatus


class ChangeKind(StrEnum):
    """What is to happen to the show."""

    PUBLISH = "PUBLISH"
    RESCHEDULE = "RESCHEDULE"


class ChangeStatus(StrEnum):
    """How far a change has come."""

    OPEN = "OPEN"
    APPLIED = "APPLIED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the show will be like; None leaves it as it is."""

    status: ShowStatus | None = None
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowChange:
    """A guarded change of a show, with its outcome once there is one."""

    id: UUID
    show_id: UUID
    kind: ChangeKind
    wish: Wish
    version: int
    status: ChangeStatus
    refusal_code: str | None
    refusal_text: str | None
    actor_id: UUID
    requested_at: datetime
    decided_at: datetime | None


# The life of a show: the status each kind of change leads to. What is not here is refused.
TRANSITIONS: Mapping[tuple[ShowStatus, ChangeKind], ShowStatus] = MappingProxyType(
    {
        (ShowStatus.DRAFT, ChangeKind.PUBLISH): ShowStatus.PUBLISHED,
        (ShowStatus.DRAFT, ChangeKind.RESCHEDULE): ShowStatus.DRAFT,
        (ShowStatus.PUBLISHED, ChangeKind.RESCHEDULE): ShowStatus.PUBLISHED,
    }
)

_REFUSALS: Mapping[ShowStatus, type[CatalogError]] = MappingProxyType(
    {ShowStatus.PUBLISHED: AlreadyPublished, ShowStatus.CANCELLED: ShowCancelled}
)


def status_after(status: ShowStatus, kind: ChangeKind) -> ShowStatus:
    """Return the status a show has after a change.

    Raises:
        AlreadyPublished: there is nothing left to publish.
        ShowCancelled: a cancelled show does not change any more.
    """
    after = TRANSITIONS.get((status, kind))
    if after is None:
        raise _REFUSALS[status]
    return after


def wished(show: Show, change: ShowChange) -> Show:
    """Return the show as it will be once the change is applied."""
    return replace(
        show,
        status=change.wish.status or show.status,
        details=replace(show.details, starts_at=change.wish.starts_at or show.details.starts_at),
        version=change.version,
    )

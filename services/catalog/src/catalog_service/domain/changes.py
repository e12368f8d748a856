"""Guarded changes: wishes that take effect only when the sales side agrees (docs/rules.md#changes).

A change is OPEN until booking has answered, then APPLIED or REFUSED for ever. A show has at most
one open change, and no version is ever used twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from catalog_service.domain.errors import (
    AlreadyPublished,
    CatalogError,
    NotPublished,
    ShowCancelled,
)
from catalog_service.domain.shows import Show, ShowStatus


class ChangeKind(StrEnum):
    """What is to happen to the show."""

    PUBLISH = "PUBLISH"
    UNPUBLISH = "UNPUBLISH"
    EDIT = "EDIT"
    RESCHEDULE = "RESCHEDULE"  # an edit that moves the date or the place
    SET_FEE = "SET_FEE"
    CANCEL = "CANCEL"
    DELETE = "DELETE"


class ChangeStatus(StrEnum):
    """How far a change has come."""

    OPEN = "OPEN"
    APPLIED = "APPLIED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class OwnFee:
    """The platform fee that a show is to have of its own; None: the usual one."""

    basis_points: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the show will be like; what is None or not named stays as it is."""

    status: ShowStatus | None = None
    details: Mapping[str, Any] = field(default_factory=dict)  # fields of ShowDetails
    bill: tuple[UUID, ...] | None = None
    fee: OwnFee | None = None
    reason: str | None = None  # of a cancellation, for the buyers
    unsold_only: bool = False  # only if no tickets are sold or held


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
    actor_id: UUID | None  # None once that account is gone, which never is while it is open
    requested_at: datetime
    decided_at: datetime | None


# The life of a show: the status each kind of change leads to, None: the show is gone. What is not
# here is refused. That a show has ended is a matter of the clock, see `usecases`.
TRANSITIONS: Mapping[tuple[ShowStatus, ChangeKind], ShowStatus | None] = MappingProxyType(
    {
        (ShowStatus.DRAFT, ChangeKind.PUBLISH): ShowStatus.PUBLISHED,
        (ShowStatus.DRAFT, ChangeKind.EDIT): ShowStatus.DRAFT,
        (ShowStatus.DRAFT, ChangeKind.RESCHEDULE): ShowStatus.DRAFT,
        (ShowStatus.DRAFT, ChangeKind.SET_FEE): ShowStatus.DRAFT,
        (ShowStatus.DRAFT, ChangeKind.DELETE): None,
        (ShowStatus.PUBLISHED, ChangeKind.UNPUBLISH): ShowStatus.DRAFT,
        (ShowStatus.PUBLISHED, ChangeKind.EDIT): ShowStatus.PUBLISHED,
        (ShowStatus.PUBLISHED, ChangeKind.RESCHEDULE): ShowStatus.PUBLISHED,
        (ShowStatus.PUBLISHED, ChangeKind.SET_FEE): ShowStatus.PUBLISHED,
        (ShowStatus.PUBLISHED, ChangeKind.CANCEL): ShowStatus.CANCELLED,
        (ShowStatus.PUBLISHED, ChangeKind.DELETE): None,
        (ShowStatus.CANCELLED, ChangeKind.DELETE): None,
    }
)

_REFUSALS: Mapping[ShowStatus, type[CatalogError]] = MappingProxyType(
    {
        ShowStatus.DRAFT: NotPublished,
        ShowStatus.PUBLISHED: AlreadyPublished,
        ShowStatus.CANCELLED: ShowCancelled,
    }
)


def status_after(status: ShowStatus, kind: ChangeKind) -> ShowStatus | None:
    """Return the status a show has after a change, None if it is gone.

    Raises:
        NotPublished: there is nothing to take back or to cancel.
        AlreadyPublished: there is nothing left to publish.
        ShowCancelled: a cancelled show does not change any more.
    """
    try:
        return TRANSITIONS[status, kind]
    except KeyError:
        raise _REFUSALS[status] from None


def wished(show: Show, change: ShowChange) -> Show:
    """Return the show as it will be once the change is applied."""
    wish = change.wish
    own_fee = show.platform_fee_basis_points if wish.fee is None else wish.fee.basis_points
    return replace(
        show,
        status=wish.status or show.status,
        details=replace(show.details, **wish.details),
        platform_fee_basis_points=own_fee,
        version=change.version,
    )

"""The keys of the configuration, and how versions of a key follow each other."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Generic, TypeVar
from uuid import UUID

from config_service.domain.errors import (
    ChangeScheduled,
    EffectiveFromRefused,
    NotSetUp,
    SettingChanged,
)
from config_service.domain.fees import FeeSchedule, FeeSlab
from config_service.domain.values import (
    BookingLimits,
    HoldTime,
    RefundPolicy,
    RefundTier,
    Retention,
)

V = TypeVar("V")

SYSTEM = "system"  # the author of what no person has set
MAX_REASON = 500  # characters
MAX_AHEAD = timedelta(days=2 * 365)


@dataclass(frozen=True, slots=True)
class Key(Generic[V]):
    """The name of a setting and the type of its values; `read` builds one from its fields."""

    name: str
    read: Callable[[Mapping[str, Any]], V]


FEES: Key[FeeSchedule] = Key(
    "fees",
    lambda stored: FeeSchedule(
        stored["platform_fee_basis_points"], tuple(FeeSlab(**slab) for slab in stored["slabs"])
    ),
)
BOOKING_LIMITS: Key[BookingLimits] = Key("booking-limits", lambda stored: BookingLimits(**stored))
HOLD_TIME: Key[HoldTime] = Key("hold-time", lambda stored: HoldTime(**stored))
REFUND_POLICY: Key[RefundPolicy] = Key(
    "refund-policy",
    lambda stored: RefundPolicy(
        tuple(RefundTier(**tier) for tier in stored["tiers"]), stored["refunds_convenience_fee"]
    ),
)
RETENTION: Key[Retention] = Key("retention", lambda stored: Retention(**stored))

KEYS: tuple[Key[Any], ...] = (FEES, BOOKING_LIMITS, HOLD_TIME, REFUND_POLICY, RETENTION)


class State(Enum):
    """Where a version stands. A later version replaces it from the later one's start on."""

    SCHEDULED = "SCHEDULED"
    IN_FORCE = "IN_FORCE"
    PAST = "PAST"
    REPLACED = "REPLACED"  # by a later version that starts before it: it never is in force


@dataclass(frozen=True, slots=True)
class Version(Generic[V]):
    """A value of a key as it was set; versions of a key count from 1 without gaps."""

    number: int
    value: V
    state: State
    effective_from: datetime
    author: str | None  # a person's id, or SYSTEM; None once the person is forgotten
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Edit:
    """Who changes a setting, why, and from when; without `effective_from`, from now on."""

    author: UUID | None  # None: the system itself
    reason: str
    effective_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing(Generic[V]):
    """A setting as it stands: the version in force and those that are to come, by number."""

    key: Key[V]
    in_force: Version[V] | None
    scheduled: tuple[Version[V], ...]

    @property
    def newest(self) -> int:
        """The number of the newest version, 0 before the first; the newest is never replaced."""
        alive = (*self.scheduled, *filter(None, [self.in_force]))
        return max((version.number for version in alive), default=0)

    @property
    def tag(self) -> str:
        """What changes whenever the standing does: by a change, or by a scheduled one's start."""
        in_force = self.in_force.number if self.in_force else 0
        return f"{self.key.name}-{in_force}-{self.newest}"

    def current(self) -> Version[V]:
        """Return the version in force.

        Raises:
            NotSetUp: there is none.
        """
        if self.in_force is None:
            raise NotSetUp(f"The setting {self.key.name} has not been set up yet.")
        return self.in_force

    def check_known(self, expected: Container[str] | None) -> None:
        """Refuse a change by somebody who does not know this standing.

        `expected` has the tags the caller has seen; None if the caller says nothing about them.

        Raises:
            SettingChanged: the setting was changed since.
            ChangeScheduled: nothing is said, and the change would replace a scheduled one.
        """
        if expected is None:
            if self.scheduled:
                raise ChangeScheduled(
                    f"A change of {self.key.name} is scheduled already. "
                    "Look at it in the configuration and change it there."
                )
        elif self.tag not in expected:
            raise SettingChanged(
                "Somebody has changed this setting meanwhile. Please look at it again."
            )

    def already_says(self, value: V, edit: Edit) -> bool:
        """Return whether an edit would change nothing: the same value, from now on, for good."""
        return (
            edit.effective_from is None
            and not self.scheduled
            and self.in_force is not None
            and self.in_force.value == value
        )


def start_of(edit: Edit, *, now: datetime) -> datetime:
    """Return when a version starts, by the clock that `now` was read from.

    Raises:
        EffectiveFromRefused: in the past, or more than two years ahead.
    """
    if edit.effective_from is None:
        return now
    if edit.effective_from < now:
        raise EffectiveFromRefused("A change cannot start in the past.")
    if edit.effective_from - now > MAX_AHEAD:
        raise EffectiveFromRefused("A change can start at most two years ahead.")
    return edit.effective_from

"""The deletion of an account: its states, and who takes part (docs/rules.md#deletion)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

OWN = "identity"
FENCING = (OWN, "booking", "catalog")  # asked in this order; whoever may refuse, before the pivot
PURGING = ("booking", "catalog", "config", OWN)  # whoever knows the person, last

PATIENCE = timedelta(minutes=2)  # with a service that cannot be reached before the pivot
STUCK_AFTER_FAILURES = 20  # attempts of one step; by then it has failed for more than a minute
IDLE_AFTER = timedelta(seconds=30)  # nobody works on a deletion that has not moved for so long


class DeletionState(StrEnum):
    """How far a deletion is. PURGING is the pivot: from there it only goes forward."""

    PREPARING = "PREPARING"
    WITHDRAWING = "WITHDRAWING"  # refused; what was fenced is being given back
    REFUSED = "REFUSED"
    PURGING = "PURGING"
    PURGED = "PURGED"  # the person is gone, the traces of the work not yet
    COMPLETED = "COMPLETED"


DECIDED = frozenset(
    {
        DeletionState.REFUSED,
        DeletionState.PURGING,
        DeletionState.PURGED,
        DeletionState.COMPLETED,
    }
)
OPEN = frozenset(
    {
        DeletionState.PREPARING,
        DeletionState.WITHDRAWING,
        DeletionState.PURGING,
        DeletionState.PURGED,
    }
)
WORKED_ON = OPEN - {DeletionState.PURGED}
GONE = frozenset({DeletionState.PURGING, DeletionState.PURGED, DeletionState.COMPLETED})


class Fence(StrEnum):
    """What a holder of personal data says when it is to keep everything as it is."""

    FENCED = "FENCED"
    REFUSED = "REFUSED"
    LIFTED = "LIFTED"  # this very deletion came to nothing before
    PURGING = "PURGING"  # it is decided: a late fence changes nothing
    PURGED = "PURGED"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an account is not deleted, in words for its owner; `code` is for programs."""

    code: str
    message: str
    shows: tuple[Mapping[str, str], ...] = ()  # id and title of each


TRY_LATER = Reason(
    "TRY_LATER", "A part of the platform does not answer at the moment. Please try again later."
)
ADMINS_STAY = Reason("ADMIN", "An administrator's account is not deleted.")


@dataclass(frozen=True, slots=True)
class FenceAnswer:
    """A holder's answer to a fence, with the reasons of a refusal."""

    fence: Fence
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class DeletionStep:
    """A part of a deletion; `done_at` is None while it is being tried."""

    name: str
    started_at: datetime
    done_at: datetime | None
    failures: int
    problem: str | None  # of the last failure
    counts: Mapping[str, int] | None  # what a purge came to


@dataclass(frozen=True, slots=True)
class Deletion:
    """One person's wish to be forgotten, and what became of it."""

    saga_id: UUID
    person_id: UUID | None  # None once it is over: nobody is named any more
    state: DeletionState
    reasons: tuple[Reason, ...]
    attempt: int  # which run of the work
    requested_at: datetime
    decided_at: datetime | None
    ended_at: datetime | None
    moved_at: datetime
    steps: tuple[DeletionStep, ...] = ()
    stuck: bool = False  # it fails again and again, or stands still

    @property
    def receipt(self) -> dict[str, Mapping[str, int]] | None:
        """What each holder removed or made anonymous, in numbers; None before the end."""
        if self.state is not DeletionState.COMPLETED:
            return None
        return {
            step.name.removeprefix("purge_"): step.counts
            for step in self.steps
            if step.counts is not None
        }


def stored_reasons(reasons: Sequence[Reason]) -> list[dict[str, Any]]:
    """Return reasons as they are kept."""
    return [
        {"code": each.code, "message": each.message, "shows": [dict(show) for show in each.shows]}
        for each in reasons
    ]


def read_reasons(stored: Sequence[Mapping[str, Any]]) -> tuple[Reason, ...]:
    """Return reasons from how they are kept, or told by a holder.

    Raises:
        KeyError, TypeError: these are no reasons.
    """
    return tuple(
        Reason(
            str(each["code"]),
            str(each["message"]),
            tuple(
                {"id": str(show["id"]), "title": str(show["title"])}
                for show in each.get("shows", ())
            ),
        )
        for each in stored
    )

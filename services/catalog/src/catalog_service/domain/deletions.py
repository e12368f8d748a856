"""The deletion of a person's account, as far as shows are concerned (docs/rules.md#deletion)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from catalog_service.domain.changes import ChangeKind


class DeletionState(StrEnum):
    """How far a deletion is here."""

    FENCED = "FENCED"  # decided elsewhere: the person's shows are hidden and nobody edits them
    LIFTED = "LIFTED"  # it came to nothing
    PURGED = "PURGED"  # the person is gone


@dataclass(frozen=True, slots=True)
class Deletion:
    """A person's deletion; `counts` say what went since the purge began, None before that."""

    state: DeletionState
    counts: Mapping[str, int] | None = None

    @property
    def is_decided(self) -> bool:
        """Whether there is no way back, though not everything may have gone yet."""
        return self.counts is not None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A show whose change has to be decided before its creator can be fenced."""

    show_id: UUID
    title: str
    kind: ChangeKind

    @property
    def code(self) -> str:
        """What programs call it."""
        cancelling = self.kind is ChangeKind.CANCEL
        return "CANCELLATION_RUNNING" if cancelling else "CHANGE_IN_PROGRESS"

    @property
    def message(self) -> str:
        """What the person is told."""
        doing = "cancelled" if self.kind is ChangeKind.CANCEL else "changed"
        return f"“{self.title}” is being {doing} right now. Please try again in a minute."


@dataclass(frozen=True, slots=True)
class FenceRefused:
    """Why a person was not fenced; nothing was changed."""

    obstacles: tuple[Obstacle, ...]

"""The deletion of a person's account, as far as settings are concerned (docs/rules.md#deletion)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class DeletionState(StrEnum):
    """How far a deletion is here."""

    FENCED = "FENCED"  # decided elsewhere
    LIFTED = "LIFTED"  # it came to nothing
    PURGED = "PURGED"  # nobody knows any more what the person has set


@dataclass(frozen=True, slots=True)
class Deletion:
    """A person's deletion; `counts` say what the purge came to, empty before it."""

    state: DeletionState
    counts: Mapping[str, int] = field(default_factory=dict)

"""Whether a creator may put shows on, as identity last said (docs/rules.md#standing)."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Standing:
    """A creator's standing; of two versions the higher one counts, whichever comes first."""

    creator_id: UUID
    allowed: bool
    version: int

"""On whose behalf something is done."""

from dataclasses import dataclass
from uuid import UUID

CREATOR_ROLES = frozenset({"ORGANIZER", "COMEDIAN"})


@dataclass(frozen=True, slots=True)
class Actor:
    """A person as identity vouches for them: stored role and whether they are approved now."""

    id: UUID
    role: str
    approved: bool

    @property
    def is_admin(self) -> bool:
        """Whether this is an admin."""
        return self.role == "ADMIN"

    @property
    def is_comedian(self) -> bool:
        """Whether this person performs."""
        return self.role == "COMEDIAN"

    @property
    def may_create(self) -> bool:
        """Whether this person may create and publish shows (docs/rules.md#creators)."""
        return self.is_admin or (self.role in CREATOR_ROLES and self.approved)

    @property
    def creates_shows(self) -> bool:
        """Whether this is somebody who usually has shows, allowed to create more or not."""
        return self.is_admin or self.role in CREATOR_ROLES

"""What services that show it to admins may know of people, and how many people there are."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Contact:
    """How somebody is reached; the last two are the names of a creator's profile."""

    id: UUID
    email: str
    name: str | None
    organizer_name: str | None
    stage_name: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """How many people there are; days are those of Asia/Kolkata."""

    total_users: int
    new_users_today: int
    pending_approvals: int

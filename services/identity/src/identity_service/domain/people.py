"""People: their roles, what creators tell about themselves, and how a role reads on the wire."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.errors import AlreadyApplied, ProfileNeedsName, RoleConflict


class Role(StrEnum):
    """What a person is on the platform; creators besides need an approval."""

    AUDIENCE = "AUDIENCE"
    ORGANIZER = "ORGANIZER"
    COMEDIAN = "COMEDIAN"
    ADMIN = "ADMIN"


CREATORS = frozenset({Role.ORGANIZER, Role.COMEDIAN})
MAX_AGE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatorProfile:
    """What every creator tells; `role` is the one that such a profile is of."""

    role: ClassVar[Role]

    id: UUID
    contact: str | None = None
    youtube_urls: tuple[str, ...] = ()
    instagram_urls: tuple[str, ...] = ()
    social_links: Mapping[str, str] | None = None

    def contents(self) -> dict[str, Any]:
        """Return what the profile says, without the id."""
        return {name: value for name, value in asdict(self).items() if name != "id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizerProfile(CreatorProfile):
    """What an organizer tells about itself; `name` is the public one."""

    role: ClassVar = Role.ORGANIZER

    name: str
    description: str | None = None
    venue: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComedianProfile(CreatorProfile):
    """What a comedian tells about herself; `stage_name` is the public one."""

    role: ClassVar = Role.COMEDIAN

    stage_name: str
    bio: str | None = None


Changes = Mapping[str, Any]  # of a dataclass above or below, by field: what is absent stays


NAME_OF_CREATOR = {Role.ORGANIZER: "name", Role.COMEDIAN: "stage_name"}


def require_name(role: Role, changes: Changes) -> None:
    """Check that changes of a creator's profile do not take its name away.

    Raises:
        ProfileNeedsName: they do.
    """
    if not changes.get(NAME_OF_CREATOR[role], "unchanged"):
        raise ProfileNeedsName


def links_with_handles(
    links: Mapping[str, str] | None, handles: Mapping[str, str | None]
) -> dict[str, str] | None:
    """Return social links with these handles set or, where they are None, removed."""
    merged = {**(links or {}), **handles}
    return {network: handle for network, handle in merged.items() if handle} or None


@dataclass(frozen=True, slots=True)
class Onboarding:
    """What a person answers after the first sign-in."""

    name: str
    age: int
    city: str
    watched_comedy: bool
    phone: str | None = None
    heard_about_us: str | None = None
    bio: str | None = None
    interests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """Everything that is stored about a person and shown to that person."""

    id: UUID
    email: str
    name: str | None
    image: str | None
    role: Role
    approval: ApprovalStatus | None
    onboarding_completed: bool
    phone: str | None
    age: int | None
    city: str | None
    bio: str | None
    language: str | None
    interests: tuple[str, ...]
    heard_about_us: str | None
    created_at: datetime
    comedian_profile: ComedianProfile | None
    organizer_profile: OrganizerProfile | None


@dataclass(frozen=True, slots=True)
class PublicPerson:
    """What other services may know: `name` is a creator's public name, else the person's own."""

    id: UUID
    name: str | None
    role: Role
    approved: bool
    image: str | None


def is_approved(role: Role, approval: ApprovalStatus | None) -> bool:
    """Return whether the person may act as the creator the role names."""
    return role in CREATORS and approval is ApprovalStatus.APPROVED


def role_on_the_wire(role: Role, approval: ApprovalStatus | None) -> str:
    """Return the role as the front end knows it: a creator's with the standing attached."""
    if role not in CREATORS:
        return role.value
    return f"{role}_{'VERIFIED' if is_approved(role, approval) else 'UNVERIFIED'}"


def require_may_apply(current: Role, *, wanted: Role) -> None:
    """Check that a person of this role may apply to become a creator.

    Raises:
        AlreadyApplied: the person is this kind of creator, approved or not.
        RoleConflict: the person is another kind of creator, or an admin.
    """
    if current is wanted:
        raise AlreadyApplied
    if current is not Role.AUDIENCE:
        raise RoleConflict

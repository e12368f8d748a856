"""The audit log: who did what to whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Action(StrEnum):
    """What is written down."""

    ADMIN_GAINED = "ADMIN_GAINED"
    ADMIN_WITHDRAWN = "ADMIN_WITHDRAWN"
    PASSWORD_SET = "PASSWORD_SET"  # noqa: S105 the name of an event
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105
    SECOND_FACTOR_PASSED = "SECOND_FACTOR_PASSED"
    SECOND_FACTOR_FAILED = "SECOND_FACTOR_FAILED"
    SECOND_FACTOR_BLOCKED = "SECOND_FACTOR_BLOCKED"
    SECOND_FACTOR_ENDED = "SECOND_FACTOR_ENDED"
    CREATOR_DECIDED = "CREATOR_DECIDED"
    PLATFORM_FEE_SET = "PLATFORM_FEE_SET"
    DELETION_REQUESTED = "DELETION_REQUESTED"
    DELETION_REFUSED = "DELETION_REFUSED"
    DELETION_DECIDED = "DELETION_DECIDED"
    DELETION_RETRIED = "DELETION_RETRIED"


@dataclass(frozen=True, slots=True)
class AuditPerson:
    """Somebody in the log; without id and e-mail once the person is deleted."""

    reference: UUID
    id: UUID | None
    email: str | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that was done; without an actor it was the platform itself."""

    id: UUID
    action: str
    actor: AuditPerson | None
    subject: AuditPerson | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    request_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted: those that fit all that is not None."""

    action: Action | None = None
    actor_id: UUID | None = None
    subject_id: UUID | None = None
    since: datetime | None = None  # inclusive
    until: datetime | None = None  # exclusive

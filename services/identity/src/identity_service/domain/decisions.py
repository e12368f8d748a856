"""Decisions on creators, as these are told of them."""

from dataclasses import dataclass
from datetime import timedelta

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.people import Role


@dataclass(frozen=True, slots=True)
class Decision:
    """An entry of a creator's history, and how the creator is reached."""

    status: ApprovalStatus
    reason: str | None
    age: timedelta
    email: str
    role: Role

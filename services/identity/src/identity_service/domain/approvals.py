"""Approvals: a creator's standing is the newest entry of a history that is never overwritten."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from identity_service.domain.errors import DecisionNotPossible


class ApprovalStatus(StrEnum):
    """An entry of the history."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    REVOKED = "REVOKED"


@dataclass(frozen=True, slots=True)
class Approval:
    """An entry of the history: since `created_at` this has been the creator's standing."""

    status: ApprovalStatus
    reason: str | None
    created_at: datetime


DECISIONS: dict[ApprovalStatus, frozenset[ApprovalStatus]] = {
    ApprovalStatus.PENDING: frozenset({ApprovalStatus.APPROVED, ApprovalStatus.REJECTED}),
    ApprovalStatus.APPROVED: frozenset({ApprovalStatus.REVOKED}),
    ApprovalStatus.REJECTED: frozenset({ApprovalStatus.APPROVED}),
    ApprovalStatus.REVOKED: frozenset({ApprovalStatus.APPROVED}),
}


def require_decidable(current: ApprovalStatus, decision: ApprovalStatus) -> None:
    """Check that an admin may take this decision now.

    Raises:
        DecisionNotPossible: names both states.
    """
    if decision not in DECISIONS[current]:
        raise DecisionNotPossible(f"This application is {current} and cannot become {decision}.")

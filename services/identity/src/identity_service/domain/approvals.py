"""Approvals: a creator's standing is the newest entry of a history that is never overwritten."""

from enum import StrEnum

from identity_service.domain.errors import DecisionNotPossible


class ApprovalStatus(StrEnum):
    """An entry of the history."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    REVOKED = "REVOKED"


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

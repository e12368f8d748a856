"""Creators as admins see them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.people import CreatorProfile, Role


@dataclass(frozen=True, slots=True)
class Decision:
    """An entry of a creator's history; `admin_email` is None for an application."""

    id: UUID
    status: ApprovalStatus
    reason: str | None
    created_at: datetime
    admin_email: str | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed with somebody who puts shows on; None is the usual fee."""

    id: UUID
    platform_fee_basis_points: int | None


@dataclass(frozen=True, slots=True)
class Creator:
    """A creator with profile, own platform fee and history, newest entry first."""

    id: UUID
    email: str
    role: Role
    name: str | None
    image: str | None
    profile: CreatorProfile
    platform_fee_basis_points: int | None
    created_at: datetime
    updated_at: datetime
    approvals: tuple[Decision, ...]

    @property
    def standing(self) -> ApprovalStatus | None:
        """What was decided last."""
        return self.approvals[0].status if self.approvals else None

"""A creator's standing: whether the other services may have the creator's shows on sale."""

from dataclasses import dataclass
from uuid import UUID

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.people import Role

RECEIVERS = ("booking", "catalog")  # who is told


@dataclass(frozen=True, slots=True)
class Standing:
    """What the other services are told; a higher version replaces a lower one.

    Version 0 was told to nobody: who is unknown to the other services is allowed.
    """

    creator_id: UUID
    allowed: bool = True
    version: int = 0


def may_have_shows_on_sale(role: Role, ruling: ApprovalStatus | None) -> bool:
    """Return whether a person's shows may be on sale (docs/rules.md#creators).

    `ruling` is the newest entry of the history that is APPROVED or REVOKED: an application after
    a revocation, and its rejection, leave the revocation in force. Whoever lists somebody as an
    ADMIN means what the person puts on, too.
    """
    return role is Role.ADMIN or ruling is not ApprovalStatus.REVOKED

"""Deciding on a creator's application."""

from uuid import UUID

from identity_service.domain.approvals import ApprovalStatus, require_decidable
from identity_service.domain.errors import NothingToDecide, UnknownPerson
from identity_service.repositories.transaction import Begin


def decide_application(
    begin: Begin,
    *,
    user_id: UUID,
    decision: ApprovalStatus,
    admin_id: UUID,
    reason: str | None = None,
) -> None:
    """Approve, reject or revoke a creator; the decision is appended to the history.

    Two admins who decide at the same moment do so one after the other.

    Raises:
        UnknownPerson: there is no such person.
        NothingToDecide: the person never applied.
        DecisionNotPossible: the present standing does not allow this decision.
    """
    with begin() as tx:
        if tx.people.lock(user_id) is None:
            raise UnknownPerson
        standing = tx.applications.standing(user_id)
        if standing is None:
            raise NothingToDecide
        require_decidable(standing, decision)
        tx.applications.record(user_id, decision, admin_id=admin_id, reason=reason)

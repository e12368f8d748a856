"""Deciding on a creator's application."""

from uuid import UUID

from identity_service.domain.approvals import ApprovalStatus, require_decidable
from identity_service.domain.audit import Action
from identity_service.domain.errors import NothingToDecide, UnknownPerson
from identity_service.domain.people import Role
from identity_service.repositories.transaction import Begin
from identity_service.usecases.settle_standing import settle_standing


def decide_application(
    begin: Begin,
    *,
    user_id: UUID,
    decision: ApprovalStatus,
    admin_id: UUID,
    reason: str | None = None,
    role: Role | None = None,
) -> None:
    """Approve, reject or revoke a creator; the decision is appended to the history.

    The creator is told by mail, and the other services if the creator's shows may, or may no
    longer, be on sale. With `role`, only a creator of this role is known. Two admins who decide at
    the same moment do so one after the other.

    Raises:
        UnknownPerson: there is no such person.
        NothingToDecide: the person never applied.
        DecisionNotPossible: the present standing does not allow this decision.
    """
    with begin() as tx:
        actual = tx.people.lock(user_id)
        if actual is None or role not in (None, actual):
            raise UnknownPerson
        standing = tx.applications.standing(user_id)
        if standing is None:
            raise NothingToDecide
        require_decidable(standing, decision)
        approval_id = tx.applications.record(user_id, decision, admin_id=admin_id, reason=reason)
        tx.work.tell_creator(approval_id)
        tx.audit.record(
            Action.CREATOR_DECIDED,
            actor_id=admin_id,
            subject_id=user_id,
            before={"standing": standing},
            after={"standing": decision},
        )
        settle_standing(tx, user_id)

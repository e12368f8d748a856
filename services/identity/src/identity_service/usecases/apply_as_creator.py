"""Applying to become a creator."""

from uuid import UUID

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.errors import UnknownPerson
from identity_service.domain.people import CreatorProfile, require_may_apply
from identity_service.repositories.transaction import Begin


def apply_as_creator(begin: Begin, *, user_id: UUID, profile: CreatorProfile) -> None:
    """Make a member of the audience a creator of the profile's role whose approval is pending.

    Who was rejected may apply again, with another profile; the history stays.

    Raises:
        UnknownPerson: there is no such person.
        AlreadyApplied: the person is such a creator, and not a rejected one.
        RoleConflict: the person is another kind of creator, or an admin.
    """
    with begin() as tx:
        role = tx.people.lock(user_id)
        if role is None:
            raise UnknownPerson
        if role is profile.role and tx.applications.standing(user_id) is ApprovalStatus.REJECTED:
            tx.applications.change(user_id, role, profile.contents())
        else:
            require_may_apply(role, wanted=profile.role)
            tx.people.set_role(user_id, profile.role)
            tx.applications.add(user_id, profile)
        tx.applications.record(user_id, ApprovalStatus.PENDING, admin_id=None, reason=None)

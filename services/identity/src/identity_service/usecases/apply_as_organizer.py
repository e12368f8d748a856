"""Applying to become an organizer."""

from uuid import UUID

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.errors import UnknownPerson
from identity_service.domain.people import OrganizerProfile, Role, require_may_apply
from identity_service.repositories.transaction import Begin


def apply_as_organizer(begin: Begin, *, user_id: UUID, profile: OrganizerProfile) -> None:
    """Make a member of the audience an organizer whose approval is pending.

    Who was rejected may apply again, with another profile; the history stays.

    Raises:
        UnknownPerson: there is no such person.
        AlreadyApplied: the person is an organizer, and not a rejected one.
        RoleConflict: the person is another kind of creator, or an admin.
    """
    with begin() as tx:
        role = tx.people.lock(user_id)
        if role is None:
            raise UnknownPerson
        if role is Role.ORGANIZER and tx.applications.standing(user_id) is ApprovalStatus.REJECTED:
            tx.applications.change(user_id, role, profile.contents())
        else:
            require_may_apply(role, wanted=Role.ORGANIZER)
            tx.people.set_role(user_id, Role.ORGANIZER)
            tx.applications.add_organizer(user_id, profile)
        tx.applications.record(user_id, ApprovalStatus.PENDING, admin_id=None, reason=None)

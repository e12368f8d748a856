"""Changing what a creator tells."""

from collections.abc import Mapping
from uuid import UUID

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.errors import NoProfile, SignedOut
from identity_service.domain.people import Changes, Role, links_with_handles, require_name
from identity_service.repositories.transaction import Begin, Transaction


def edit_creator_profile(
    begin: Begin,
    *,
    user_id: UUID,
    role: Role,
    changes: Changes,
    handles: Mapping[str, str | None],
) -> None:
    """Change the profile of a creator of this role; a rejected creator thereby applies again.

    Raises:
        SignedOut: the person is gone.
        NoProfile: the person is no creator of this role.
    """
    with begin() as tx:
        actual = tx.people.lock(user_id)
        if actual is None:
            raise SignedOut
        if actual is not role:
            raise NoProfile
        change_profile(tx, user_id, role, changes, handles=handles)


def change_profile(
    tx: Transaction,
    user_id: UUID,
    role: Role,
    changes: Changes,
    *,
    handles: Mapping[str, str | None],
) -> None:
    """Change the profile of a creator who is locked; a rejected one thereby applies again.

    `handles` are set among the social links, or removed from them. What is as it was is no change,
    and no change is no application.

    Raises:
        ProfileNeedsName: the changes take the name away.
    """
    require_name(role, changes)
    told = tx.applications.profile(user_id, role).contents()
    if handles:
        links = changes.get("social_links", told["social_links"])
        changes = {**changes, "social_links": links_with_handles(links, handles)}
    changes = {name: value for name, value in changes.items() if value != told[name]}
    if not changes:
        return
    tx.applications.change(user_id, role, changes)
    if tx.applications.standing(user_id) is ApprovalStatus.REJECTED:
        tx.applications.record(user_id, ApprovalStatus.PENDING, admin_id=None, reason=None)

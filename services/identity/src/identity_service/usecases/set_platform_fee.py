"""Agreeing with a creator on a platform fee of her own."""

from uuid import UUID

from identity_service.domain.audit import Action
from identity_service.domain.errors import UnknownPerson
from identity_service.domain.people import Role
from identity_service.repositories.transaction import Begin


def set_platform_fee(
    begin: Begin, *, user_id: UUID, role: Role, basis_points: int | None, admin_id: UUID
) -> None:
    """Set the fee of a creator of this role, in basis points; None is the usual one again.

    Raises:
        UnknownPerson: there is no creator of this role with this id.
    """
    with begin() as tx:
        if tx.people.lock(user_id) is not role:
            raise UnknownPerson
        before = tx.creators.fee(user_id, role)
        tx.creators.set_fee(user_id, role, basis_points)
        tx.audit.record(
            Action.PLATFORM_FEE_SET,
            actor_id=admin_id,
            subject_id=user_id,
            before={"platformFeeBasisPoints": before},
            after={"platformFeeBasisPoints": basis_points},
        )

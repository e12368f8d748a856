"""Changing what a person tells, as a person and as a creator, at once."""

from collections.abc import Mapping
from uuid import UUID

from identity_service.domain.errors import SignedOut
from identity_service.domain.people import CREATORS, Changes, Person, Role
from identity_service.repositories.transaction import Begin
from identity_service.usecases.edit_creator_profile import change_profile


def update_profile(
    begin: Begin,
    *,
    user_id: UUID,
    own: Changes,
    creator: Mapping[Role, Changes],
    handles: Mapping[str, str | None],
) -> Person:
    """Store all changes or none; of `creator` only what is for the person's own role counts.

    A rejected creator who changes the creator's profile thereby applies again.

    Raises:
        SignedOut: the person is gone.
        ProfileNeedsName: a creator's part is left without a name.
    """
    with begin() as tx:
        role = tx.people.lock(user_id)
        if role is None:
            raise SignedOut
        if own:
            tx.people.change(user_id, own)
        if role in CREATORS:
            change_profile(tx, user_id, role, creator[role], handles=handles)
        person = tx.people.get(user_id)
    if person is None:
        raise SignedOut
    return person

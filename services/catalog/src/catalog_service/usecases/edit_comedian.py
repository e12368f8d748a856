"""Editing a comedian's entry."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from catalog_service.domain.actors import Actor
from catalog_service.domain.comedians import Comedian, check_comedian
from catalog_service.domain.errors import NotApproved
from catalog_service.repositories.transaction import Begin
from catalog_service.usecases.lock_entry import lock_entry
from catalog_service.usecases.use_image import use_image


def edit_comedian(
    begin: Begin, *, actor: Actor, comedian_id: UUID, changes: Mapping[str, Any]
) -> Comedian:
    """Change the named fields of an entry; of two edits at once, each keeps what it changed.

    Raises:
        NotApproved: the actor is neither an approved creator nor an admin.
        ComedianNotFound: there is no such entry of the actor's.
        AccountClosed: its creator or the actor is being deleted.
        InvalidFields: the entry would break a rule.
    """
    if not actor.may_create:
        raise NotApproved
    with begin() as tx:
        comedian = lock_entry(tx, actor, comedian_id)
        edited = replace(comedian, details=replace(comedian.details, **changes))
        check_comedian(edited.details)
        if edited.details.profile_image_url != comedian.details.profile_image_url:
            use_image(tx, edited.details.profile_image_url, actor=actor, field="profileImageUrl")
        tx.comedians.replace(comedian.id, edited.details)
    return edited

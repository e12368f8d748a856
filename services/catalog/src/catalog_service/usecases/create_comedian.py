"""Adding a comedian to the directory."""

from uuid import UUID

from uuid_utils.compat import uuid7

from catalog_service.domain.actors import Actor
from catalog_service.domain.comedians import Comedian, ComedianDetails, check_comedian
from catalog_service.domain.errors import InvalidFields, NotApproved
from catalog_service.repositories.transaction import Begin
from catalog_service.usecases.use_image import use_image


def create_comedian(
    begin: Begin,
    *,
    actor: Actor,
    details: ComedianDetails,
    comedian_id: UUID | None = None,
    user_id: UUID | None = None,
) -> Comedian:
    """Add an entry; `user_id` says whose own entry it is, if the comedian has an account.

    Raises:
        NotApproved: the actor is neither an approved creator nor an admin.
        InvalidFields: the details break a rule, or who is no comedian wants an own entry.
        AccountClosed: the actor is being deleted.
        AlreadyListed: that person has an own entry already.
    """
    if not actor.may_create:
        raise NotApproved
    if user_id is not None and not actor.is_comedian:
        raise InvalidFields({"isOwn": ["Only comedians have an entry of their own."]})
    check_comedian(details)
    with begin() as tx:
        tx.deletions.require_open(actor.id)
        use_image(tx, details.profile_image_url, actor=actor, field="profileImageUrl")
        return tx.comedians.add(
            comedian_id or uuid7(), details, created_by=actor.id, user_id=user_id
        )

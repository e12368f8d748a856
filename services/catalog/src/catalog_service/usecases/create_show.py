"""Creating a show."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from catalog_service.clients.identity import PeopleClient
from catalog_service.domain.actors import Actor
from catalog_service.domain.comedians import MAX_NAME, ComedianDetails
from catalog_service.domain.errors import AlreadyListed, InvalidFields, NotApproved
from catalog_service.domain.shows import Show, ShowDetails, check_details
from catalog_service.repositories.transaction import Begin, Transaction
from catalog_service.usecases.use_image import use_image

FIRST_VERSION = 1
UNNAMED = "Comedian"


def create_show(
    begin: Begin,
    people: PeopleClient,
    *,
    actor: Actor,
    details: ShowDetails,
    comedian_ids: Sequence[UUID],
    now: datetime,
    show_id: UUID | None = None,
) -> Show:
    """Store a draft of the actor's own; booking learns of it as an offer that is closed.

    A comedian is put on the bill of the own show, last if not placed elsewhere.

    Raises:
        NotApproved: the actor is neither an approved creator nor an admin.
        InvalidFields: the details break a rule, or a comedian does not exist.
        AccountClosed: the actor is being deleted.
        PeerUnavailable: a comedian's first show needs the name that only identity knows.
    """
    if not actor.may_create:
        raise NotApproved
    check_details(details, now=now)
    own_name = _name_for_first_entry(begin, people, actor)
    with begin() as tx:
        tx.deletions.require_open(actor.id)
        use_image(tx, details.poster_image_url, actor=actor, field="posterImageUrl")
        bill = _bill(tx, actor, comedian_ids, own_name)
        show = tx.shows.add(show_id or uuid7(), details, creator_id=actor.id, version=FIRST_VERSION)
        tx.comedians.set_bill(show.id, bill)
        tx.work.mirror_offer(show.id, version=show.version)
    return show


def _name_for_first_entry(begin: Begin, people: PeopleClient, actor: Actor) -> str | None:
    """Return what to call a comedian who is not in the directory yet, None if no name is needed."""
    if not actor.is_comedian:
        return None
    with begin() as tx:
        listed = tx.comedians.own_entry(actor.id) is not None
    return None if listed else people.name_of(actor.id) or UNNAMED


def _bill(
    tx: Transaction, actor: Actor, comedian_ids: Sequence[UUID], own_name: str | None
) -> list[UUID]:
    bill = list(dict.fromkeys(comedian_ids))
    if set(bill) - tx.comedians.hold(bill):
        raise InvalidFields({"comedianIds": ["There is no such comedian."]})
    if actor.is_comedian:
        own = tx.comedians.own_entry(actor.id) or _add_own_entry(tx, actor, own_name or UNNAMED)
        bill += [own] if own is not None and own not in bill else []
    return bill


def _add_own_entry(tx: Transaction, actor: Actor, name: str) -> UUID | None:
    """Return the id of the actor's new entry, or of the one a request beside this one made."""
    details = ComedianDetails(name=name[:MAX_NAME])
    try:
        return tx.comedians.add(uuid7(), details, created_by=actor.id, user_id=actor.id).id
    except AlreadyListed:
        return tx.comedians.own_entry(actor.id)

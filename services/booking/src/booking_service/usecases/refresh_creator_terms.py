"""Keeping what was agreed with creators up to date."""

from uuid import UUID

from booking_service.clients.identity import MAX_CREATORS_PER_CALL, IdentityClient
from booking_service.repositories.transaction import Begin


def refresh_creator_terms(begin: Begin, identity: IdentityClient) -> int:
    """Ask identity what is agreed with every creator and keep it; return how many terms changed.

    Raises:
        PeerUnavailable: no usable answer; the last good terms stay.
    """
    changed, after = 0, None
    while True:
        with begin() as tx:
            creators = tx.creators.ids(after=after, limit=MAX_CREATORS_PER_CALL)
        if creators:
            changed += _refresh(begin, identity, list(creators))
        if len(creators) < MAX_CREATORS_PER_CALL:
            return changed
        after = creators[-1]


def _refresh(begin: Begin, identity: IdentityClient, creators: list[UUID]) -> int:
    said = identity.platform_fees(creators)
    with begin() as tx:
        known = tx.creators.platform_fees(creators)
        changed = [each for each in creators if each not in known or known[each] != said[each]]
        tx.creators.confirm_platform_fees([each for each in creators if each not in changed])
    for creator_id in changed:
        with begin() as tx:
            if tx.deletions.is_gone(creator_id):
                continue
            tx.creators.claim(creator_id)
            tx.creators.set_platform_fee(creator_id, said[creator_id])
    return len(changed)

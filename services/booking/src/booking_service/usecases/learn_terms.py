"""Learning what was agreed with a creator before the first show is sold."""

from uuid import UUID

from booking_service.clients.identity import IdentityClient
from booking_service.repositories.transaction import Begin


def learn_terms(begin: Begin, identity: IdentityClient, *, creator_id: UUID) -> None:
    """Ask identity about a creator nothing is known of; does nothing for the others.

    Nobody is asked about a creator whose account is deleted.

    Raises:
        PeerUnavailable: no usable answer; nothing is sold at terms that were guessed.
    """
    with begin() as tx:
        if creator_id in tx.creators.platform_fees([creator_id]) or tx.deletions.is_gone(
            creator_id
        ):
            return
    said = identity.platform_fees([creator_id])
    with begin() as tx:
        if tx.deletions.is_gone(creator_id):
            return
        tx.creators.claim(creator_id)
        tx.creators.set_platform_fee(creator_id, said[creator_id])

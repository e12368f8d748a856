"""Taking over whether a creator's shows may be sold."""

from uuid import UUID

from booking_service.domain.creators import Standing, is_newer
from booking_service.repositories.transaction import Begin


def set_standing(begin: Begin, *, creator_id: UUID, said: Standing) -> Standing:
    """Store a creator's standing if it is newer than the stored one; return the one stored then.

    Idempotent, and indifferent to the order in which versions arrive. No sale that contradicts a
    standing commits after it did. Of a creator whose account is deleted nothing is stored.
    """
    with begin() as tx:
        if tx.deletions.is_gone(creator_id):
            return said
        tx.creators.claim(creator_id)
        stored = tx.creators.standing(creator_id)
        if stored is not None and not is_newer(stored, said):
            return stored
        tx.creators.set_standing(creator_id, said)
        return said

"""Taking over what identity says about a creator."""

from catalog_service.domain.standings import Standing
from catalog_service.repositories.transaction import Begin


def take_standing(begin: Begin, *, standing: Standing) -> Standing:
    """Go by a standing unless a newer one is known; return the one that is gone by.

    Of a person who is gone nothing is stored; there is nothing left to hide.
    """
    with begin() as tx:
        if tx.deletions.is_decided(standing.creator_id):
            return standing
        return tx.standings.put(standing)

"""Knowing again who is gone, after a restore."""

from collections.abc import Collection

from config_service.repositories.transaction import Begin


def remember_gone(begin: Begin, *, person_hashes: Collection[bytes]) -> None:
    """Refuse whatever would be written about these people, of whom nothing is stored here.

    A backup from before their deletion knows nothing of it. Repeating changes nothing.
    """
    with begin() as tx:
        tx.deletions.remember(person_hashes)

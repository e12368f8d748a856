"""Telling the other services everything about creators once more."""

from identity_service.repositories.transaction import Begin
from identity_service.usecases.settle_standing import announce, present_standing


def send_standings_again(begin: Begin) -> int:
    """Tell every creator's standing under a new version, and return how many they are.

    For when this service or another one has gone back to a backup: it may sell what was revoked
    since, or may not sell what this service knows nothing against.
    """
    with begin() as tx:
        people = tx.standings.people_to_tell_of()
    for user_id in people:
        with begin() as tx:
            standing = present_standing(tx, user_id)
            if standing is not None:
                announce(tx, standing)
    return len(people)

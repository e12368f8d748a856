"""Giving seats back that were held too long."""

from booking_service.repositories.transaction import Begin

SHOWS_AT_ONCE = 200


def release_expired_holds(begin: Begin) -> int:
    """Release the ended holds of some shows, each show in a transaction; return how many ended.

    A show that somebody is busy with is left for the next time. Several workers may do this.
    """
    with begin() as tx:
        shows = tx.reservations.shows_with_expired(limit=SHOWS_AT_ONCE)
    released = 0
    for show_id in shows:
        with begin() as tx:
            if tx.inventory.lock_if_free(show_id):
                released += tx.reservations.release_expired(show_id)
    return released

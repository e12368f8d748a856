"""Removing what had to be kept of people who are gone, once its time is over."""

from datetime import datetime
from uuid import UUID

from booking_service.repositories.transaction import Begin

SHOWS_AT_ONCE = 200
BOOKINGS_AT_ONCE = 500  # in one transaction


def discard_old_bookings(begin: Begin, *, now: datetime | None = None) -> int:
    """Remove anonymous bookings that are kept long enough, by the database's clock; count them.

    A show at a time, in bounded transactions; several workers may do this. Nothing goes before its
    time, whatever `now` is.
    """
    discarded, after = 0, UUID(int=0)
    while True:
        with begin() as tx:
            shows = tx.retention.shows(now, after=after, limit=SHOWS_AT_ONCE)
        for show_id in shows:
            discarded += _discard(begin, show_id, now)
        if len(shows) < SHOWS_AT_ONCE:
            return discarded
        after = shows[-1]


def _discard(begin: Begin, show_id: UUID, now: datetime | None) -> int:
    discarded, batch = 0, BOOKINGS_AT_ONCE
    while batch == BOOKINGS_AT_ONCE:
        with begin() as tx:
            batch = tx.retention.discard(show_id, now, limit=BOOKINGS_AT_ONCE)
        discarded += batch
    return discarded

"""Telling booking everything about shows once more."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from uuid import UUID

from catalog_service.clients.booking import OfferClient
from catalog_service.domain.offers import OUTDATED, VERSION_CONFLICT, Refusal, offer_of
from catalog_service.domain.shows import Show, ShowStatus
from catalog_service.repositories.transaction import Begin

SHOWS_AT_ONCE = 200
REASON = "The show was cancelled."  # if the one that was given is not known any more


@dataclass(slots=True)
class Sent:
    """What became of it; what was refused needs somebody to look at it."""

    told: int = 0
    withdrawn: int = 0
    refused: dict[UUID, Refusal] = field(default_factory=dict)


def send_offers(begin: Begin, read: Begin, booking: OfferClient) -> Sent:
    """Have booking offer what the shows are like, and withdraw what is no show any more.

    For when this service or booking has gone back to a backup. A show of which booking knows a
    later version gets a later one still. Shows whose change is being decided are left to that.

    Raises:
        PeerUnavailable: booking did not answer; repeating does the rest.
    """
    sent = Sent()
    for show in _decided_shows(read):
        refusal = _tell(begin, read, booking, show)
        if refusal is None:
            sent.told += 1
        else:
            sent.refused[show.id] = refusal
    for show_id, version in booking.versions():
        if not _exists(read, show_id):
            refusal = booking.withdraw(show_id, version=version)
            if refusal is None:
                sent.withdrawn += 1
            else:
                sent.refused[show_id] = refusal
    return sent


def _decided_shows(read: Begin) -> Iterator[Show]:
    last: UUID | None = None
    while True:
        with read() as tx:
            ids = tx.shows.ids_after(last, limit=SHOWS_AT_ONCE)
        if not ids:
            return
        for show_id in ids:
            with read() as tx:
                show = tx.shows.find(show_id)
                is_open = tx.changes.open_of(show_id) is not None
            if show is not None and not is_open:
                yield show
        last = ids[-1]


def _tell(begin: Begin, read: Begin, booking: OfferClient, show: Show) -> Refusal | None:
    refusal = _put(read, booking, show)
    if refusal is None or not _is_stale(refusal):
        return refusal
    newer = _raise_version(begin, show.id, above=refusal.held_version)
    return refusal if newer is None else _put(read, booking, newer)


def _put(read: Begin, booking: OfferClient, show: Show) -> Refusal | None:
    refusal = booking.put(offer_of(show))
    if show.status is not ShowStatus.CANCELLED or (refusal and _is_stale(refusal)):
        return refusal
    # Booking may have sold it, or sell it, in a state from before the cancellation.
    with read() as tx:
        change = tx.changes.cancellation_of(show.id)
    return booking.cancel(
        show.id,
        version=show.version,
        reason=(change and change.wish.reason) or REASON,
        actor_id=(change and change.actor_id) or show.creator_id,
    )


def _is_stale(refusal: Refusal) -> bool:
    """Return whether booking holds another offer under this version or a later one."""
    return refusal.code in {OUTDATED, VERSION_CONFLICT}


def _raise_version(begin: Begin, show_id: UUID, *, above: int) -> Show | None:
    """Give a show a version that booking has not seen; None if it has begun to change."""
    with begin() as tx:
        show = tx.shows.lock(show_id)
        if show is None or tx.changes.open_of(show_id) is not None:
            return None
        newer = replace(show, version=max(show.version, above) + 1)
        tx.shows.replace(newer)
    return newer


def _exists(read: Begin, show_id: UUID) -> bool:
    with read() as tx:
        return tx.shows.find(show_id) is not None

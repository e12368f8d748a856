"""Deleting everything of a person."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from uuid import UUID

from catalog_service.clients.storage import Storage
from catalog_service.domain.deletions import Deletion, DeletionState
from catalog_service.domain.shows import Show
from catalog_service.repositories.transaction import Begin, Transaction

SECONDS = 1.5  # after which no further portion is begun

Portion = Callable[[Transaction, UUID], Mapping[str, int]]


def purge_person(
    begin: Begin, storage: Storage, *, saga_id: UUID, person_id: UUID, seconds: float = SECONDS
) -> Deletion:
    """Delete what a person has, or as much of it as a moment allows; repeating does the rest.

    It has been decided for good: a fence need not have come before it, and one of another deletion
    gives way. A lifted deletion purges nobody. What an open change of somebody else's show needs
    stays until that is decided, a file that may be on its way into the storage until it is there.

    Returns:
        The deletion: PURGED once nothing is left, still FENCED before that.

    Raises:
        AnotherDeletion: this is the deletion of somebody else.
        StorageUnavailable: files cannot be removed at the moment.
    """
    ends_at = time.monotonic() + seconds
    with begin() as tx:
        deletion = _decided(tx, saga_id, person_id)
    if deletion.state is not DeletionState.FENCED:
        return deletion
    for portion in PORTIONS:
        while _do(begin, portion, saga_id, person_id):
            if time.monotonic() > ends_at:
                return deletion
    if _remove_files(begin, storage, person_id, ends_at):
        with begin() as tx:
            deletion = tx.deletions.lock(saga_id, person_id) or deletion
            if deletion.state is DeletionState.FENCED and not tx.people.is_named(person_id):
                return tx.deletions.close(saga_id, person_id)
    return deletion


def _decided(tx: Transaction, saga_id: UUID, person_id: UUID) -> Deletion:
    known = tx.deletions.lock(saga_id, person_id)
    if known is not None and (known.is_decided or known.state is DeletionState.LIFTED):
        return known
    other = tx.deletions.of_person(person_id)
    if other is not None and other.state is DeletionState.PURGED:
        return other
    return tx.deletions.decide(saga_id, person_id)


def _do(begin: Begin, portion: Portion, saga_id: UUID, person_id: UUID) -> bool:
    """Have a portion gone, of several calls at once by one after the other; false if none is left.

    From the decision on the person writes nothing, so that what is gone does not come back.
    """
    with begin() as tx:
        tx.deletions.lock(saga_id, person_id)
        gone = portion(tx, person_id)
        tx.deletions.count(saga_id, gone)
    return any(gone.values())


def _remove_files(begin: Begin, storage: Storage, person_id: UUID, ends_at: float) -> bool:
    """Remove condemned uploads, files first, then rows; false if there was not time enough."""
    while True:
        with begin() as tx:
            keys = tx.media.condemned_of(person_id)
        if not keys:
            return True
        for key in keys:
            storage.delete(key)
        with begin() as tx:
            tx.media.forget(keys)
        if time.monotonic() > ends_at:
            return False


def _condemn_uploads(tx: Transaction, person_id: UUID) -> Mapping[str, int]:
    return {"imagesDeleted": tx.media.condemn_all_of(person_id)}


def _remove_shows(tx: Transaction, person_id: UUID) -> Mapping[str, int]:
    return {"showsDeleted": tx.shows.remove_some_of(person_id)}


def _give_up_entries(tx: Transaction, person_id: UUID) -> Mapping[str, int]:
    return tx.comedians.give_up(person_id)


def _take_off_posters(tx: Transaction, person_id: UUID) -> Mapping[str, int]:
    """Take the person's uploads off others' shows, where an admin has put them."""
    locked = [tx.shows.lock(show_id) for show_id in tx.media.shown_by_shows(person_id)]
    still_shown = set(tx.media.shown_by_shows(person_id))  # now that nobody changes them
    shows = [show for show in locked if show is not None and show.id in still_shown]
    for show in shows:
        after = _without_poster(show)
        tx.shows.replace(after)
        tx.work.mirror_offer(show.id, version=after.version)
    return {"imagesTakenOff": len(shows)}


def _without_poster(show: Show) -> Show:
    details = replace(show.details, poster_image_url=None)
    return replace(show, details=details, version=show.version + 1)


def _take_off_comedians(tx: Transaction, person_id: UUID) -> Mapping[str, int]:
    return {"imagesTakenOff": tx.media.take_off_comedians(person_id)}


def _forget_actor(tx: Transaction, person_id: UUID) -> Mapping[str, int]:
    return {"changesAnonymised": tx.changes.forget_actor(person_id)}


def _forget_standing(tx: Transaction, person_id: UUID) -> Mapping[str, int]:
    tx.standings.forget(person_id)
    return {}


# Uploads first: from then on nobody makes anything show them. Shows before entries: an entry that
# is on a bill after that is on somebody else's.
PORTIONS: tuple[Portion, ...] = (
    _condemn_uploads,
    _remove_shows,
    _give_up_entries,
    _take_off_posters,
    _take_off_comedians,
    _forget_actor,
    _forget_standing,
)

"""Removing uploads that nothing shows any more."""

from collections.abc import Sequence

import structlog

from catalog_service.clients.identity import PeopleClient
from catalog_service.clients.storage import Storage
from catalog_service.domain.media import Media, uploaded_key
from catalog_service.repositories.transaction import Begin

log = structlog.get_logger(__name__)


def collect_media(begin: Begin, people: PeopleClient, storage: Storage) -> None:
    """Look at every upload whose time has come, and remove those that were unused for long.

    Of several at once each upload is looked at by one. Object first, then row: killed in between,
    the next run does the rest.

    Raises:
        PeerUnavailable: identity cannot say whose profile picture is what; nothing was decided.
        StorageUnavailable: what is to be removed cannot be.
    """
    _condemn_unused(begin, people)
    removed = 0
    while keys := _condemned(begin):
        for key in keys:
            storage.delete(key)
            with begin() as tx:
                tx.media.forget([key])
        removed += len(keys)
    if removed:
        log.info("removed unused uploads", uploads=removed)


def _condemn_unused(begin: Begin, people: PeopleClient) -> None:
    while True:
        with begin() as tx:
            due = tx.media.due()
        pictures = _profile_pictures(people, due)
        with begin() as tx:
            if not tx.media.review([media.key for media in due], pictures=pictures):
                return  # nothing is due, or others have it in hand


def _profile_pictures(people: PeopleClient, uploads: Sequence[Media]) -> set[str]:
    """Return which uploads are the profile picture of the person who uploaded them."""
    pictures = people.pictures_of({media.owner_id for media in uploads})
    return {
        media.key for media in uploads if uploaded_key(pictures.get(media.owner_id)) == media.key
    }


def _condemned(begin: Begin) -> list[str]:
    with begin() as tx:
        return tx.media.condemned()

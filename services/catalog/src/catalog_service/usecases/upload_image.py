"""Taking in an image."""

import hashlib
import secrets

from catalog_service.clients.images import ImageConverter
from catalog_service.clients.storage import Storage
from catalog_service.domain.actors import Actor
from catalog_service.domain.errors import (
    AccountClosed,
    FileTooLarge,
    NotApproved,
    StorageFull,
    StorageUnavailable,
)
from catalog_service.domain.images import inspect_image
from catalog_service.domain.media import MAX_UPLOAD_BYTES, Media, MediaKind, may_upload
from catalog_service.repositories.transaction import Begin

RANDOM_BYTES = 16


def upload_image(
    begin: Begin,
    images: ImageConverter,
    storage: Storage,
    *,
    actor: Actor,
    kind: MediaKind,
    content: bytes,
) -> Media:
    """Store an image under a random name of its own; it is removed if nothing shows it in time.

    It is noted before it is stored, so that nothing is ever stored that nobody knows of.

    Raises:
        NotApproved: only approved creators and admins upload images of this kind.
        AccountClosed: the actor is being deleted.
        TooManyUploads: the actor has uploaded as much as is allowed.
        FileTooLarge: it is larger than `MAX_UPLOAD_BYTES`.
        NotAnImage: it is no image of a known format.
        ImageRefused: it is an image that cannot be used.
        UploadsBusy: others' images take all the time there is.
        StorageUnavailable: it cannot be stored at the moment.
        StorageFull: there is no room for it.
    """
    if not may_upload(actor, kind):
        raise NotApproved
    if len(content) > MAX_UPLOAD_BYTES:
        raise FileTooLarge
    file_format = inspect_image(content)
    with begin() as tx:
        tx.media.require_quota(actor.id)  # before the work; what counts is the check below
    converted = images.to_webp(content, file_format)
    media = Media(
        key=f"{secrets.token_hex(RANDOM_BYTES)}.webp",
        owner_id=actor.id,
        kind=kind,
        size=len(converted),
        sha256=hashlib.sha256(converted).hexdigest(),
    )
    with begin() as tx:
        tx.deletions.require_open(actor.id)
        tx.media.add(media)
    try:
        storage.put(media.key, converted)
    except (StorageFull, StorageUnavailable):
        with begin() as tx:
            tx.media.condemn([media.key])
        raise
    with begin() as tx:
        is_wanted = tx.media.note_stored(media.key)
    if not is_wanted:
        storage.delete(media.key)
        raise AccountClosed
    return media

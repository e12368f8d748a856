"""Letting a show or a comedian show an image."""

from catalog_service.domain.actors import Actor
from catalog_service.domain.errors import InvalidFields
from catalog_service.domain.media import uploaded_key
from catalog_service.repositories.transaction import Transaction


def use_image(tx: Transaction, link: str | None, *, actor: Actor, field: str) -> None:
    """Keep the upload behind a link that the open transaction stores; other links are free.

    Raises:
        InvalidFields: there is no such upload, or it is somebody else's.
    """
    key = uploaded_key(link)
    if key is not None and not tx.media.attach(key, actor):
        raise InvalidFields({field: ["This is none of your uploads. Please upload the image."]})

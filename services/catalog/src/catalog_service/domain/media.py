"""Uploads: who may make them, how many, under which name they are kept (docs/rules.md#media)."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from catalog_service.domain.actors import Actor

MAX_UPLOAD_BYTES = 5 * 2**20
LONGEST_EDGE = 1_200  # pixels of what is kept
UPLOADS_PER_WINDOW = 40  # of one person
QUOTA_WINDOW = timedelta(hours=24)
KEPT_UNUSED = timedelta(hours=24)
STORING_TAKES = timedelta(seconds=30)  # at most, from when an upload is noted
MEDIA_TYPE = "image/webp"

_PATH = "/api/v1/media/"
_KEY = re.compile(r"[0-9a-f]{32}\.webp")


class MediaKind(StrEnum):
    """What an upload is meant for."""

    SHOW = "show"
    COMEDIAN = "comedian"
    PROFILE = "profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """An upload as it is kept: re-encoded, never changed."""

    key: str
    owner_id: UUID
    kind: MediaKind
    size: int
    sha256: str

    @property
    def url(self) -> str:
        """The path under which everybody sees it."""
        return url_of(self.key)


def may_upload(actor: Actor, kind: MediaKind) -> bool:
    """Tell whether a person may upload images for this; profile pictures are for everybody."""
    return kind is MediaKind.PROFILE or actor.may_create


def is_key(text: str) -> bool:
    """Tell whether this could be the name of an upload: nothing that leads anywhere else."""
    return bool(_KEY.fullmatch(text))


def url_of(key: str) -> str:
    """Return the path under which everybody sees an upload."""
    return _PATH + key


def uploaded_key(link: str | None) -> str | None:
    """Return the name of the upload that a link shows, None if it is a link to elsewhere."""
    if link is None or not link.startswith(_PATH):
        return None
    return link.removeprefix(_PATH)

"""Every query about uploads."""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeStatus
from catalog_service.domain.errors import TooManyUploads
from catalog_service.domain.media import (
    KEPT_UNUSED,
    QUOTA_WINDOW,
    STORING_TAKES,
    UPLOADS_PER_WINDOW,
    Media,
    url_of,
)
from catalog_service.models import ComedianRow, MediaRow, ShowChangeRow, ShowRow

BATCH = 100
FILES = 20  # of a person who goes, removed before anybody looks at the time
_ALIVE = MediaRow.condemned_at.is_(None)
_URL = url_of("") + MediaRow.key


class MediaRepository:
    """Uploads, and whether anything shows them. The database's clock decides."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def require_quota(self, owner_id: UUID) -> None:
        """Refuse a person who has uploaded as much as is allowed.

        Raises:
            TooManyUploads: with the time until the oldest upload stops counting.
        """
        since = func.now() - QUOTA_WINDOW
        count, oldest, now = self._session.execute(
            select(func.count(), func.min(MediaRow.created_at), func.now()).where(
                MediaRow.owner_id == owner_id, MediaRow.created_at > since
            )
        ).one()
        if count >= UPLOADS_PER_WINDOW:
            raise TooManyUploads(int((oldest + QUOTA_WINDOW - now).total_seconds()) + 1)

    def add(self, media: Media) -> None:
        """Note an upload that is about to be stored; of several at once none is counted too late.

        Raises:
            TooManyUploads: see `require_quota`.
        """
        one_at_a_time = func.hashtextextended(f"uploads of {media.owner_id}", 0)
        self._session.execute(select(func.pg_advisory_xact_lock(one_at_a_time)))
        self.require_quota(media.owner_id)
        self._session.execute(
            insert(MediaRow).values(
                key=media.key,
                owner_id=media.owner_id,
                kind=media.kind,
                size=media.size,
                sha256=media.sha256,
                unused_since=func.now(),
                review_at=func.now() + KEPT_UNUSED,
            )
        )

    def note_stored(self, key: str) -> bool:
        """Note that an upload is stored; false if it was condemned meanwhile and must not be."""
        stored = update(MediaRow).where(MediaRow.key == key, _ALIVE).values(stored_at=func.now())
        return self._session.scalar(stored.returning(MediaRow.key)) is not None

    def attach(self, key: str, actor: Actor) -> bool:
        """Keep an upload that the open transaction makes something show.

        Returns:
            Whether there is such an upload of the actor's; an admin's are all of them.
        """
        wanted = update(MediaRow).where(MediaRow.key == key, _ALIVE)
        if not actor.is_admin:
            wanted = wanted.where(MediaRow.owner_id == actor.id)
        attached = wanted.values(unused_since=None).returning(MediaRow.key)
        return self._session.scalar(attached) is not None

    def condemn(self, keys: Iterable[str]) -> None:
        """Have uploads removed."""
        self._session.execute(
            update(MediaRow)
            .where(MediaRow.key.in_(list(keys)), _ALIVE)
            .values(condemned_at=func.now())
        )

    def due(self) -> list[Media]:
        """Return some uploads whose time to be looked at has come, the oldest first."""
        query = select(MediaRow).where(_ALIVE, MediaRow.review_at <= func.now())
        rows = self._session.scalars(query.order_by(MediaRow.review_at).limit(BATCH))
        return [_media(row) for row in rows]

    def review(self, keys: Collection[str], *, pictures: Collection[str]) -> int:
        """Keep what is shown, mark what is not, condemn what was marked long enough ago.

        What is shown is read after the rows are locked: whoever made something show an upload
        before that has committed.

        Args:
            keys: of uploads that are due; others are left alone.
            pictures: those of them that are somebody's profile picture.

        Returns:
            How many were looked at; what somebody else holds at the moment is left alone.
        """
        locked = self._session.execute(
            select(MediaRow.key, MediaRow.unused_since <= func.now() - KEPT_UNUSED)
            .where(MediaRow.key.in_(list(keys)), _ALIVE, MediaRow.review_at <= func.now())
            .order_by(MediaRow.key)
            .with_for_update(skip_locked=True)
        ).all()
        shown = self._shown(key for key, _ in locked) | set(pictures)
        unused = {key: long_unused for key, long_unused in locked if key not in shown}
        self._session.execute(
            update(MediaRow)
            .where(MediaRow.key.in_([key for key, _ in locked if key in shown]))
            .values(unused_since=None, review_at=func.now() + KEPT_UNUSED)
        )
        self._session.execute(
            update(MediaRow)
            .where(MediaRow.key.in_(list(unused)))
            .values(
                unused_since=func.coalesce(MediaRow.unused_since, func.now()),
                review_at=func.now() + KEPT_UNUSED,
            )
        )
        self.condemn(key for key, long_unused in unused.items() if long_unused)
        return len(locked)

    def condemned(self) -> list[str]:
        """Return the names of some condemned uploads that can be removed, the oldest first."""
        query = select(MediaRow.key).where(_is_removable()).order_by(MediaRow.condemned_at)
        return list(self._session.scalars(query.limit(BATCH)))

    def condemned_of(self, owner_id: UUID) -> list[str]:
        """Return the names of some condemned uploads of a person that can be removed."""
        query = select(MediaRow.key).where(MediaRow.owner_id == owner_id, _is_removable())
        return list(self._session.scalars(query.limit(FILES)))

    def condemn_all_of(self, owner_id: UUID) -> int:
        """Have nothing show any more what a person has uploaded, and it be removed.

        Returns:
            How many uploads that is; a bounded number at a time.
        """
        some = select(MediaRow.key).where(MediaRow.owner_id == owner_id, _ALIVE)
        locked = some.order_by(MediaRow.key).limit(BATCH).with_for_update()
        keys = list(self._session.scalars(locked))
        self.condemn(keys)
        return len(keys)

    def shown_by_shows(self, owner_id: UUID) -> list[UUID]:
        """Return some shows whose poster a person has uploaded and of which no change is open."""
        changing = exists().where(
            ShowChangeRow.show_id == ShowRow.id, ShowChangeRow.status == ChangeStatus.OPEN
        )
        query = select(ShowRow.id).join(MediaRow, ShowRow.poster_image_url == _URL)
        query = query.where(MediaRow.owner_id == owner_id, ~changing)
        return list(self._session.scalars(query.order_by(ShowRow.id).limit(BATCH)))

    def take_off_comedians(self, owner_id: UUID) -> int:
        """Have comedians' entries not show what a person has uploaded; return how many did."""
        shown = select(ComedianRow.id).join(MediaRow, ComedianRow.profile_image_url == _URL)
        some = shown.where(MediaRow.owner_id == owner_id).order_by(ComedianRow.id).limit(BATCH)
        entries = list(self._session.scalars(some.with_for_update(of=ComedianRow)))
        self._session.execute(
            update(ComedianRow)
            .where(ComedianRow.id.in_(entries))
            .values(profile_image_url=None, updated_at=func.now())
        )
        return len(entries)

    def forget(self, keys: Collection[str]) -> None:
        """Delete condemned uploads that are not stored any more."""
        self._session.execute(delete(MediaRow).where(MediaRow.key.in_(keys), ~_ALIVE))

    def _shown(self, keys: Iterable[str]) -> set[str]:
        """Return which of these are a poster of a show or an image of a comedian."""
        urls = {url_of(key): key for key in keys}
        posters = select(ShowRow.poster_image_url).where(ShowRow.poster_image_url.in_(list(urls)))
        images = select(ComedianRow.profile_image_url).where(
            ComedianRow.profile_image_url.in_(list(urls))
        )
        shown = {*self._session.scalars(posters), *self._session.scalars(images)}
        return {key for url, key in urls.items() if url in shown}


def _is_removable() -> ColumnElement[bool]:
    """Condemned, certainly not being stored at this moment, and not shown, now or soon.

    Nothing shows an upload that was condemned because it is unused; the upload of a person who is
    gone is taken off what shows it first.
    """
    shown = (
        exists().where(ShowRow.poster_image_url == _URL),
        exists().where(ComedianRow.profile_image_url == _URL),
        exists().where(
            ShowChangeRow.status == ChangeStatus.OPEN,
            ShowChangeRow.wish["poster_image_url"].astext == _URL,
        ),
    )
    is_settled = or_(
        MediaRow.stored_at.is_not(None), MediaRow.created_at < func.now() - STORING_TAKES
    )
    return and_(~_ALIVE, is_settled, *(~each for each in shown))


def _media(row: MediaRow) -> Media:
    return Media(
        key=row.key, owner_id=row.owner_id, kind=row.kind, size=row.size, sha256=row.sha256
    )

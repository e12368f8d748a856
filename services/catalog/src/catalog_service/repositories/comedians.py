"""Every query about comedians and the bills of shows."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.orm import Session

from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeStatus
from catalog_service.domain.comedians import (
    FORMER_PERFORMER,
    Comedian,
    ComedianDetails,
    Performer,
    RegistryEntry,
)
from catalog_service.domain.errors import AlreadyListed, ComedianNotFound
from catalog_service.domain.shows import ShowStatus
from catalog_service.models import ComedianRow, ShowChangeRow, ShowComedianRow, ShowRow

BATCH = 100
_COLUMNS = tuple(ComedianRow.__table__.columns)


class ComedianRepository:
    """The directory of comedians."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        comedian_id: UUID,
        details: ComedianDetails,
        *,
        created_by: UUID,
        user_id: UUID | None,
    ) -> Comedian:
        """Store a new entry.

        Raises:
            AlreadyListed: `user_id` has an own entry already.
        """
        row = self._session.scalars(
            insert_or(ComedianRow)
            .values(
                id=comedian_id,
                **_columns(details),
                created_by=created_by,
                user_id=user_id,
            )
            .on_conflict_do_nothing(index_elements=[ComedianRow.user_id])
            .returning(ComedianRow)
        ).one_or_none()
        if row is None:
            raise AlreadyListed
        return _comedian(row)

    def find(self, comedian_id: UUID) -> Comedian:
        """Return an entry.

        Raises:
            ComedianNotFound: there is none.
        """
        row = self._session.get(ComedianRow, comedian_id)
        if row is None:
            raise ComedianNotFound
        return _comedian(row)

    def editable_by(self, actor: Actor, comedian_id: UUID) -> Comedian:
        """Return an entry of the actor's own; an admin's are all of them.

        Raises:
            ComedianNotFound: there is none.
        """
        entry = self.find(comedian_id)
        if not actor.is_admin and entry.created_by != actor.id:
            raise ComedianNotFound
        return entry

    def lock_for(self, actor: Actor, comedian_id: UUID) -> Comedian:
        """Return an entry that the actor may change; nobody else does until the transaction ends.

        Raises:
            ComedianNotFound: there is none, or it is another creator's.
        """
        own = select(ComedianRow).where(ComedianRow.id == comedian_id)
        if not actor.is_admin:
            own = own.where(ComedianRow.created_by == actor.id)
        # populate_existing: a row read before the lock was waited for would be served from memory
        own = own.with_for_update().execution_options(populate_existing=True)
        row = self._session.scalars(own).one_or_none()
        if row is None:
            raise ComedianNotFound
        return _comedian(row)

    def replace(self, comedian_id: UUID, details: ComedianDetails) -> None:
        """Store what a locked entry says from now on."""
        self._session.execute(
            update(ComedianRow)
            .where(ComedianRow.id == comedian_id)
            .values(**_columns(details), updated_at=func.now())
        )

    def remove(self, comedian: Comedian) -> bool:
        """Delete a locked entry that no show but drafts of its creator has on its bill.

        It goes off the bills of these. A draft with an open change, or one that somebody is
        changing at this moment, counts as any other show.

        Returns:
            Whether it was deleted; otherwise the transaction must not be committed.
        """
        changing = exists().where(
            ShowChangeRow.show_id == ShowRow.id, ShowChangeRow.status == ChangeStatus.OPEN
        )
        drafts = (
            select(ShowRow.id)
            .join(ShowComedianRow, ShowComedianRow.show_id == ShowRow.id)
            .where(
                ShowComedianRow.comedian_id == comedian.id,
                ShowRow.creator_id == comedian.created_by,
                ShowRow.status == ShowStatus.DRAFT,
                ~changing,
            )
            # Shows are locked before comedians: waiting here could be waiting for each other.
            .with_for_update(of=ShowRow, skip_locked=True)
        )
        places = ShowComedianRow.comedian_id == comedian.id
        draft_ids = list(self._session.scalars(drafts))
        self._session.execute(
            delete(ShowComedianRow).where(places, ShowComedianRow.show_id.in_(draft_ids))
        )
        if self._session.scalar(select(exists().where(places))):
            return False
        self._session.execute(delete(ComedianRow).where(ComedianRow.id == comedian.id))
        return True

    def give_up(self, person_id: UUID) -> dict[str, int]:
        """Delete a person's entries that no show has on its bill, keep the others without a name.

        To be called when the person has no shows any more. An entry about somebody else that a show
        has on its bill keeps what it says; the person's own one says nothing any more.

        Returns:
            What became of how many; a bounded number at a time, nothing once none is left.
        """
        mine = or_(ComedianRow.created_by == person_id, ComedianRow.user_id == person_id)
        some = select(ComedianRow.id).where(mine).order_by(ComedianRow.id).limit(BATCH)
        entries = set(self._session.scalars(some.with_for_update()))
        # a statement of its own: it sees what the one before waited for
        places = select(ShowComedianRow.comedian_id).where(ShowComedianRow.comedian_id.in_(entries))
        used = set(self._session.scalars(places.distinct()))
        about_others = and_(ComedianRow.user_id.is_not(None), ComedianRow.user_id != person_id)
        deleted = self._session.scalars(
            delete(ComedianRow)
            .where(ComedianRow.id.in_(entries - used), ~about_others)
            .returning(ComedianRow.id)
        ).all()
        kept = ComedianRow.id.in_(entries.difference(deleted))
        self._session.execute(
            update(ComedianRow)
            .where(kept, ComedianRow.user_id == person_id)
            .values(
                **_columns(ComedianDetails(name=FORMER_PERFORMER)),
                user_id=None,
                created_by=None,
                updated_at=func.now(),
            )
        )
        self._session.execute(
            update(ComedianRow)
            .where(kept, ComedianRow.created_by == person_id)
            .values(created_by=None, updated_at=func.now())
        )
        return {
            "comediansDeleted": len(deleted),
            "comediansAnonymised": len(entries) - len(deleted),
        }

    def hold(self, comedian_ids: Iterable[UUID]) -> set[UUID]:
        """Return which of these entries exist; they stay until the transaction ends."""
        query = select(ComedianRow.id).where(ComedianRow.id.in_(list(comedian_ids)))
        held = query.order_by(ComedianRow.id).with_for_update(read=True, key_share=True)
        return set(self._session.scalars(held))

    def known(self, comedian_ids: Iterable[UUID]) -> set[UUID]:
        """Return which of these entries exist."""
        query = select(ComedianRow.id).where(ComedianRow.id.in_(list(comedian_ids)))
        return set(self._session.scalars(query))

    def own_entry(self, user_id: UUID) -> UUID | None:
        """Return the id of a person's own entry, which stays until the transaction ends."""
        query = select(ComedianRow.id).where(ComedianRow.user_id == user_id)
        return self._session.scalar(query.with_for_update(read=True, key_share=True))

    def page(self, text: str, *, after: tuple[str, UUID] | None, limit: int) -> list[Comedian]:
        """Return entries by name; each word of the text occurs in the name or the stage name."""
        query = select(ComedianRow).where(*map(_is_called, text.split()))
        if after is not None:
            query = query.where(tuple_(ComedianRow.name, ComedianRow.id) > tuple_(*after))
        query = query.order_by(ComedianRow.name, ComedianRow.id).limit(limit)
        return [_comedian(row) for row in self._session.scalars(query)]

    def registry(self, *, after: tuple[datetime, UUID] | None, limit: int) -> list[RegistryEntry]:
        """Return entries with the number of their shows, the newest first."""
        shows = (
            select(func.count())
            .where(ShowComedianRow.comedian_id == ComedianRow.id)
            .scalar_subquery()
        )
        query = select(ComedianRow, shows)
        if after is not None:
            key = tuple_(ComedianRow.created_at, ComedianRow.id)
            query = query.where(key < tuple_(*after))
        query = query.order_by(ComedianRow.created_at.desc(), ComedianRow.id.desc()).limit(limit)
        return [
            RegistryEntry(_comedian(row), row.created_at, count)
            for row, count in self._session.execute(query)
        ]

    def set_bill(self, show_id: UUID, comedian_ids: Sequence[UUID]) -> None:
        """Have these comedians and nobody else on the bill of a locked show, in this order."""
        self._session.execute(delete(ShowComedianRow).where(ShowComedianRow.show_id == show_id))
        if comedian_ids:
            self._session.execute(
                insert(ShowComedianRow),
                [
                    {"show_id": show_id, "comedian_id": comedian_id, "position": position}
                    for position, comedian_id in enumerate(comedian_ids)
                ],
            )

    def bill(self, show_id: UUID) -> tuple[UUID, ...]:
        """Return who performs in a show, in order."""
        query = select(ShowComedianRow.comedian_id).where(ShowComedianRow.show_id == show_id)
        return tuple(self._session.scalars(query.order_by(ShowComedianRow.position)))

    def bills(self, show_ids: Iterable[UUID]) -> dict[UUID, list[Performer]]:
        """Return who performs in each of these shows, in order; every show has an entry."""
        bills: dict[UUID, list[Performer]] = {show_id: [] for show_id in show_ids}
        rows = self._session.execute(
            select(ShowComedianRow.show_id, ShowComedianRow.position, *_COLUMNS)
            .join(ComedianRow, ComedianRow.id == ShowComedianRow.comedian_id)
            .where(ShowComedianRow.show_id.in_(list(bills)))
            .order_by(ShowComedianRow.show_id, ShowComedianRow.position)
        )
        for row in rows:
            bills[row.show_id].append(Performer(row.position, _comedian(row)))
        return bills


def _is_called(word: str) -> ColumnElement[bool]:
    return or_(
        ComedianRow.name.icontains(word, autoescape=True),
        ComedianRow.stage_name.icontains(word, autoescape=True),
    )


def _columns(details: ComedianDetails) -> dict[str, Any]:
    return {
        "name": details.name,
        "stage_name": details.stage_name,
        "bio": details.bio,
        "profile_image_url": details.profile_image_url,
        "promo_video_url": details.promo_video_url,
        "social_links": dict(details.social_links),
        "youtube_urls": list(details.youtube_urls),
        "instagram_urls": list(details.instagram_urls),
    }


def _comedian(row: ComedianRow | Row[*tuple[Any, ...]]) -> Comedian:
    return Comedian(
        id=row.id,
        details=ComedianDetails(
            name=row.name,
            stage_name=row.stage_name,
            bio=row.bio,
            profile_image_url=row.profile_image_url,
            promo_video_url=row.promo_video_url,
            social_links=row.social_links,
            youtube_urls=tuple(row.youtube_urls),
            instagram_urls=tuple(row.instagram_urls),
        ),
        created_by=row.created_by,
        user_id=row.user_id,
    )

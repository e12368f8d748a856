"""What is stored here about one person."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, exists, or_, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session

from catalog_service.models import (
    ComedianRow,
    CreatorStandingRow,
    MediaRow,
    ShowChangeRow,
    ShowComedianRow,
    ShowRow,
)

# Every column with ids of people, but for that of fences, which end with what they are there for.
NAMING: tuple[InstrumentedAttribute[Any], ...] = (
    ShowRow.creator_id,
    CreatorStandingRow.creator_id,
    ComedianRow.created_by,
    ComedianRow.user_id,
    ShowChangeRow.actor_id,
    MediaRow.owner_id,
)


class PersonRepository:
    """Everything that names a person, or hangs on what does, by section."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def stored_about(self, person_id: UUID) -> dict[str, Sequence[RowMapping]]:
        """Return the rows about a person, oldest first; nobody else's."""
        show, place, comedian, change = ShowRow, ShowComedianRow, ComedianRow, ShowChangeRow
        mine = select(show.id).where(show.creator_id == person_id)
        return {
            "shows": self._rows(show, show.creator_id == person_id, show.id),
            "places_on_bills": self._rows(
                place, place.show_id.in_(mine), place.show_id, place.position
            ),
            "comedians_created": self._rows(
                comedian, comedian.created_by == person_id, comedian.id
            ),
            "own_entry": self._rows(comedian, comedian.user_id == person_id, comedian.id),
            "changes_requested": self._rows(change, change.actor_id == person_id, change.id),
            "media": self._rows(MediaRow, MediaRow.owner_id == person_id, MediaRow.created_at),
            "standing_as_creator": self._rows(
                CreatorStandingRow,
                CreatorStandingRow.creator_id == person_id,
                CreatorStandingRow.creator_id,
            ),
        }

    def is_named(self, person_id: UUID) -> bool:
        """Return whether anything that is stored names a person."""
        named = (exists().where(column == person_id) for column in NAMING)
        return bool(self._session.scalar(select(or_(*named))))

    def page(self, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        """Return some of the people who are named anywhere, by id."""
        some = (
            select(column.label("person_id"))
            .where(column.is_not(None) if after is None else column > after)
            .distinct()
            .order_by(column)
            .limit(limit)
            .subquery()
            for column in NAMING
        )
        everywhere = union(*(select(each.c.person_id) for each in some)).subquery()
        people = select(everywhere.c.person_id).order_by(everywhere.c.person_id).limit(limit)
        return self._session.scalars(people).all()

    def _rows(
        self, table: Any, about: ColumnElement[bool], *order: InstrumentedAttribute[Any]
    ) -> Sequence[RowMapping]:
        query = select(*table.__table__.columns).where(about).order_by(*order)
        return self._session.execute(query).mappings().all()

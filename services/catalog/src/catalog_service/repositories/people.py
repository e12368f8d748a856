"""What is stored here about one person."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from catalog_service.models import (
    ComedianRow,
    CreatorStandingRow,
    MediaRow,
    ShowChangeRow,
    ShowComedianRow,
    ShowRow,
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

    def _rows(
        self, table: Any, about: ColumnElement[bool], *order: InstrumentedAttribute[Any]
    ) -> Sequence[RowMapping]:
        query = select(*table.__table__.columns).where(about).order_by(*order)
        return self._session.execute(query).mappings().all()

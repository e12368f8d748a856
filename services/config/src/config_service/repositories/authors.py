"""Who has changed the configuration."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config_service.domain.settings import SYSTEM
from config_service.models import AuthorRow


class AuthorRepository:
    """The random names under which versions, which are never rewritten, know their authors."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def reference_of(self, author: UUID | None) -> str:
        """Return the name for a person, made when first needed; SYSTEM for nobody."""
        if author is None:
            return SYSTEM
        self._session.execute(
            insert(AuthorRow)
            .values(reference=str(uuid4()), user_id=author)
            .on_conflict_do_nothing(index_elements=[AuthorRow.user_id])
        )
        return self._session.scalars(
            select(AuthorRow.reference).where(AuthorRow.user_id == author)
        ).one()

    def forget(self, person_id: UUID) -> None:
        """Have nobody know any more which name is this person's."""
        self._session.execute(delete(AuthorRow).where(AuthorRow.user_id == person_id))

    def people(self, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        """Return some of the people who have a name here, by id."""
        query = select(AuthorRow.user_id).order_by(AuthorRow.user_id).limit(limit)
        if after is not None:
            query = query.where(AuthorRow.user_id > after)
        return self._session.scalars(query).all()

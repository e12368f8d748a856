"""Who has changed the configuration."""

from uuid import UUID, uuid4

from sqlalchemy import select
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

"""Every query about creators' standing, but for the condition on shows (`shows`)."""

from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog_service.domain.standings import Standing
from catalog_service.models import CreatorStandingRow


class StandingRepository:
    """What identity said about creators; of whom nothing was said is allowed."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, standing: Standing) -> Standing:
        """Store a standing if it is newer than the stored one; return the one stored afterwards."""
        new = insert(CreatorStandingRow).values(
            creator_id=standing.creator_id, allowed=standing.allowed, version=standing.version
        )
        self._session.execute(
            new.on_conflict_do_update(
                index_elements=[CreatorStandingRow.creator_id],
                set_={
                    "allowed": new.excluded.allowed,
                    "version": new.excluded.version,
                    "updated_at": func.now(),
                },
                where=CreatorStandingRow.version < new.excluded.version,
            )
        )
        row = self._session.get_one(CreatorStandingRow, standing.creator_id)
        return Standing(row.creator_id, allowed=row.allowed, version=row.version)

    def forget(self, creator_id: UUID) -> None:
        """Delete what was said about a creator."""
        self._session.execute(
            delete(CreatorStandingRow).where(CreatorStandingRow.creator_id == creator_id)
        )

    def is_allowed(self, creator_id: UUID) -> bool:
        """Return whether this creator's shows may be published."""
        banned = select(CreatorStandingRow.creator_id).where(
            CreatorStandingRow.creator_id == creator_id, CreatorStandingRow.allowed.is_(False)
        )
        return self._session.scalar(banned) is None

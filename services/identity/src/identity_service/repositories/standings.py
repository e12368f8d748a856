"""Every query about what the other services are told of creators."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import func, select, union
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.standing import Standing
from identity_service.models import ApprovalRow, StandingRow

_RULINGS = (ApprovalStatus.APPROVED, ApprovalStatus.REVOKED)


class StandingRepository:
    """Standings as they were told last.

    They are written while the person is locked (`people.lock`), so that a higher version is of a
    later transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def ruling(self, user_id: UUID) -> ApprovalStatus | None:
        """Return the newest entry of a person's history that approves or revokes."""
        return self._session.scalar(
            select(ApprovalRow.status)
            .where(ApprovalRow.user_id == user_id, ApprovalRow.status.in_(_RULINGS))
            .order_by(ApprovalRow.number.desc())
            .limit(1)
        )

    def of(self, user_id: UUID) -> Standing:
        """Return what was told about a person last, version 0 if nothing ever was."""
        row = self._session.execute(
            select(StandingRow.allowed, StandingRow.version).where(StandingRow.user_id == user_id)
        ).one_or_none()
        return Standing(user_id) if row is None else Standing(user_id, *row)

    def find(self, standing_id: UUID) -> Standing | None:
        """Return what was told last under this id, None if the person is gone."""
        row = self._session.execute(
            select(StandingRow.user_id, StandingRow.allowed, StandingRow.version).where(
                StandingRow.id == standing_id
            )
        ).one_or_none()
        return None if row is None else Standing(*row)

    def put(self, standing: Standing) -> UUID:
        """Store what is told from now on, and return the id under which it is sent."""
        told = {"allowed": standing.allowed, "version": standing.version}
        return self._session.execute(
            insert(StandingRow)
            .values(id=uuid4(), user_id=standing.creator_id, **told)
            .on_conflict_do_update(
                index_elements=[StandingRow.user_id], set_={**told, "updated_at": func.now()}
            )
            .returning(StandingRow.id)
        ).scalar_one()

    def people_to_tell_of(self) -> Sequence[UUID]:
        """Return everybody of whom the other services can know something."""
        return list(
            self._session.scalars(union(select(StandingRow.user_id), select(ApprovalRow.user_id)))
        )

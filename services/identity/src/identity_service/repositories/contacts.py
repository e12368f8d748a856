"""Every query about people for what admins are shown elsewhere."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.contacts import Contact, Figures
from identity_service.models import ComedianProfileRow, OrganizerProfileRow, UserRow
from identity_service.repositories.people import newest_approval

TIME_ZONE = "Asia/Kolkata"


class ContactRepository:
    """Addresses of people, and their number."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, user_ids: Iterable[UUID]) -> list[Contact]:
        """Return how these people are reached; unknown ids are left out."""
        found = self._session.execute(
            select(
                UserRow.id,
                UserRow.email,
                UserRow.name,
                OrganizerProfileRow.name,
                ComedianProfileRow.stage_name,
            )
            .outerjoin(OrganizerProfileRow, OrganizerProfileRow.user_id == UserRow.id)
            .outerjoin(ComedianProfileRow, ComedianProfileRow.user_id == UserRow.id)
            .where(UserRow.id.in_(list(user_ids)))
            .order_by(UserRow.id)
        )
        return [Contact(*row) for row in found]

    def figures(self) -> Figures:
        """Count the people, by the database's clock."""
        midnight = func.date_trunc("day", func.now(), TIME_ZONE)
        pending = newest_approval() == ApprovalStatus.PENDING
        row = self._session.execute(
            select(
                func.count(),
                func.count().filter(UserRow.created_at >= midnight),
                func.count().filter(pending),
            ).select_from(UserRow)
        ).one()
        return Figures(*row)

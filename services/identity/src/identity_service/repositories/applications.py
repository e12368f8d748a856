"""Every query about applications to become a creator, and about their approval."""

from typing import Any
from uuid import UUID

from sqlalchemy import Interval, func, select, type_coerce, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from identity_service.domain.approvals import Approval, ApprovalStatus
from identity_service.domain.decisions import Decision
from identity_service.domain.people import Changes, CreatorProfile, Role
from identity_service.models import PROFILE_ROWS, ApprovalRow, UserRow
from identity_service.repositories.people import profile_of


class ApplicationRepository:
    """Profiles of creators and the history of their standing.

    Everything here is done while the person is locked (`people.lock`), so that entries of the
    history are numbered without gaps and nobody decides on a state that has passed.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, user_id: UUID, profile: CreatorProfile) -> None:
        """Store the profile of a person who applies."""
        row = PROFILE_ROWS[profile.role]
        self._session.add(row(id=profile.id, user_id=user_id, **_stored(profile.contents())))

    def change(self, user_id: UUID, role: Role, changes: Changes) -> None:
        """Store what a creator of this role changes in the profile."""
        profile = PROFILE_ROWS[role]
        self._session.execute(
            update(profile).where(profile.user_id == user_id).values(**_stored(changes))
        )

    def profile(self, user_id: UUID, role: Role) -> CreatorProfile:
        """Return the profile of a creator of this role."""
        row = PROFILE_ROWS[role]
        return profile_of(
            self._session.scalars(
                select(row).where(row.user_id == user_id).execution_options(populate_existing=True)
            ).one()
        )

    def newest(self, user_id: UUID) -> Approval | None:
        """Return the newest entry of the person's history, None if there is none."""
        row = self._session.execute(
            select(ApprovalRow.status, ApprovalRow.reason, ApprovalRow.created_at)
            .where(ApprovalRow.user_id == user_id)
            .order_by(ApprovalRow.number.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else Approval(*row)

    def standing(self, user_id: UUID) -> ApprovalStatus | None:
        """Return what the newest entry of the person's history says, None if there is none."""
        newest = self.newest(user_id)
        return newest.status if newest else None

    def decision(self, approval_id: UUID) -> Decision | None:
        """Return an entry of a history with whom it is about, None if she is gone, or going."""
        age = type_coerce(func.now() - ApprovalRow.created_at, Interval)
        row = self._session.execute(
            select(ApprovalRow.status, ApprovalRow.reason, age, UserRow.email, UserRow.role)
            .join(UserRow, UserRow.id == ApprovalRow.user_id)
            .where(ApprovalRow.id == approval_id, UserRow.closed_by.is_(None))
        ).one_or_none()
        return None if row is None else Decision(*row)

    def record(
        self, user_id: UUID, status: ApprovalStatus, *, admin_id: UUID | None, reason: str | None
    ) -> UUID:
        """Append an entry to the person's history and return its id.

        An admin who is gone meanwhile is not named.
        """
        approval_id = uuid7()
        last = self._session.scalar(
            select(func.max(ApprovalRow.number)).where(ApprovalRow.user_id == user_id)
        )
        self._session.add(
            ApprovalRow(
                id=approval_id,
                user_id=user_id,
                number=(last or 0) + 1,
                status=status,
                admin_id=self._if_there(admin_id),
                reason=reason,
            )
        )
        return approval_id

    def _if_there(self, admin_id: UUID | None) -> UUID | None:
        return self._session.scalar(
            select(UserRow.id)
            .where(UserRow.id == admin_id)
            .with_for_update(read=True, key_share=True)
        )


def _stored(changes: Changes) -> dict[str, Any]:
    return {name: list(x) if isinstance(x, tuple) else x for name, x in changes.items()}

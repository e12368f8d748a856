"""Every query for the lists of creators that admins see, and about creators' own fees."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session, aliased

from identity_service.domain.creators import Creator, Decision
from identity_service.domain.people import Role
from identity_service.models import PROFILE_ROWS, ApprovalRow, CreatorProfileRow, UserRow
from identity_service.repositories.people import profile_of


class CreatorRepository:
    """Creators with their whole history, as admins see them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def with_role(
        self, role: Role, *, limit: int, after: tuple[datetime, UUID] | None
    ) -> list[Creator]:
        """Return creators of this role, the newest profile first."""
        profile = PROFILE_ROWS[role]
        query = (
            select(UserRow, profile)
            .join(profile, profile.user_id == UserRow.id)
            .where(UserRow.role == role)
            .order_by(profile.created_at.desc(), UserRow.id.desc())
            .limit(limit)
        )
        if after is not None:
            query = query.where(tuple_(profile.created_at, UserRow.id) < after)
        found = self._session.execute(query).all()
        history = self._history([user.id for user, _row in found])
        return [_creator(user, row, history[user.id]) for user, row in found]

    def fee(self, user_id: UUID, role: Role) -> int | None:
        """Return a creator's own platform fee in basis points, None if it is the usual one."""
        profile = PROFILE_ROWS[role]
        return self._session.scalar(
            select(profile.platform_fee_basis_points).where(profile.user_id == user_id)
        )

    def set_fee(self, user_id: UUID, role: Role, basis_points: int | None) -> None:
        """Set the own platform fee of a creator who is locked in this transaction."""
        profile = PROFILE_ROWS[role]
        self._session.execute(
            update(profile)
            .where(profile.user_id == user_id)
            .values(platform_fee_basis_points=basis_points)
        )

    def _history(self, user_ids: Sequence[UUID]) -> dict[UUID, list[Decision]]:
        admin = aliased(UserRow)
        found = self._session.execute(
            select(ApprovalRow, admin.email)
            .outerjoin(admin, admin.id == ApprovalRow.admin_id)
            .where(ApprovalRow.user_id.in_(user_ids))
            .order_by(ApprovalRow.user_id, ApprovalRow.number.desc())
        )
        history: dict[UUID, list[Decision]] = defaultdict(list)
        for row, admin_email in found:
            history[row.user_id].append(
                Decision(row.id, row.status, row.reason, row.created_at, admin_email)
            )
        return history


def _creator(user: UserRow, row: CreatorProfileRow, history: list[Decision]) -> Creator:
    return Creator(
        id=user.id,
        email=user.email,
        role=user.role,
        name=user.name,
        image=user.image,
        profile=profile_of(row),
        platform_fee_basis_points=row.platform_fee_basis_points,
        created_at=row.created_at,
        updated_at=row.updated_at,
        approvals=tuple(history),
    )

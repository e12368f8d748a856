"""Every query for the lists of creators that admins see, and about creators' own fees."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session, aliased

from identity_service.domain.creators import Creator, Decision
from identity_service.domain.people import ComedianProfile, OrganizerProfile, Role
from identity_service.models import ApprovalRow, ComedianProfileRow, OrganizerProfileRow, UserRow
from identity_service.repositories.people import comedian_profile, organizer_profile


class CreatorRepository:
    """Creators with their whole history, as admins see them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def organizers(self, *, limit: int, after: tuple[datetime, UUID] | None) -> list[Creator]:
        """Return organizers, the newest profile first."""
        query = (
            select(UserRow, OrganizerProfileRow)
            .join(OrganizerProfileRow, OrganizerProfileRow.user_id == UserRow.id)
            .where(UserRow.role == Role.ORGANIZER)
            .order_by(OrganizerProfileRow.created_at.desc(), UserRow.id.desc())
            .limit(limit)
        )
        if after is not None:
            query = query.where(tuple_(OrganizerProfileRow.created_at, UserRow.id) < after)
        found = self._session.execute(query).all()
        history = self._history([user.id for user, _profile in found])
        return [
            _creator(user, profile, organizer_profile(profile), history[user.id])
            for user, profile in found
        ]

    def comedians(self, *, limit: int, after: tuple[datetime, UUID] | None) -> list[Creator]:
        """Return comedians, the newest profile first."""
        query = (
            select(UserRow, ComedianProfileRow)
            .join(ComedianProfileRow, ComedianProfileRow.user_id == UserRow.id)
            .where(UserRow.role == Role.COMEDIAN)
            .order_by(ComedianProfileRow.created_at.desc(), UserRow.id.desc())
            .limit(limit)
        )
        if after is not None:
            query = query.where(tuple_(ComedianProfileRow.created_at, UserRow.id) < after)
        found = self._session.execute(query).all()
        history = self._history([user.id for user, _profile in found])
        return [
            _creator(user, profile, comedian_profile(profile), history[user.id])
            for user, profile in found
        ]

    def fee(self, user_id: UUID, role: Role) -> int | None:
        """Return a creator's own platform fee in basis points, None if it is the usual one."""
        profile = OrganizerProfileRow if role is Role.ORGANIZER else ComedianProfileRow
        return self._session.scalar(
            select(profile.platform_fee_basis_points).where(profile.user_id == user_id)
        )

    def set_fee(self, user_id: UUID, role: Role, basis_points: int | None) -> None:
        """Set the own platform fee of a creator who is locked in this transaction."""
        profile = OrganizerProfileRow if role is Role.ORGANIZER else ComedianProfileRow
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


def _creator(
    user: UserRow,
    row: OrganizerProfileRow | ComedianProfileRow,
    profile: OrganizerProfile | ComedianProfile,
    history: list[Decision],
) -> Creator:
    return Creator(
        id=user.id,
        email=user.email,
        role=user.role,
        name=user.name,
        image=user.image,
        profile=profile,
        platform_fee_basis_points=row.platform_fee_basis_points,
        created_at=row.created_at,
        updated_at=row.updated_at,
        approvals=tuple(history),
    )

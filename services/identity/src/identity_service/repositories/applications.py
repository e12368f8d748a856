"""Every query about applications to become a creator, and about their approval."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from identity_service.domain.approvals import Approval, ApprovalStatus
from identity_service.domain.people import Changes, ComedianProfile, OrganizerProfile, Role
from identity_service.models import ApprovalRow, ComedianProfileRow, OrganizerProfileRow

_PROFILES: dict[Role, type[OrganizerProfileRow] | type[ComedianProfileRow]] = {
    Role.ORGANIZER: OrganizerProfileRow,
    Role.COMEDIAN: ComedianProfileRow,
}


class ApplicationRepository:
    """Profiles of creators and the history of their standing.

    Everything here is done while the person is locked (`people.lock`), so that entries of the
    history are numbered without gaps and nobody decides on a state that has passed.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_organizer(self, user_id: UUID, profile: OrganizerProfile) -> None:
        """Store the profile of a person who applies as an organizer."""
        self._session.add(
            OrganizerProfileRow(
                name=profile.name,
                description=profile.description,
                venue=profile.venue,
                **_shared(user_id, profile),
            )
        )

    def add_comedian(self, user_id: UUID, profile: ComedianProfile) -> None:
        """Store the profile of a person who applies as a comedian."""
        self._session.add(
            ComedianProfileRow(
                stage_name=profile.stage_name, bio=profile.bio, **_shared(user_id, profile)
            )
        )

    def change(self, user_id: UUID, role: Role, changes: Changes) -> None:
        """Store what a creator of this role changes in the profile."""
        profile = _PROFILES[role]
        stored = {name: list(x) if isinstance(x, tuple) else x for name, x in changes.items()}
        self._session.execute(update(profile).where(profile.user_id == user_id).values(**stored))

    def social_links(self, user_id: UUID, role: Role) -> Mapping[str, str] | None:
        """Return the social links in the profile of a creator of this role."""
        profile = _PROFILES[role]
        return self._session.scalar(select(profile.social_links).where(profile.user_id == user_id))

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

    def record(
        self, user_id: UUID, status: ApprovalStatus, *, admin_id: UUID | None, reason: str | None
    ) -> None:
        """Append an entry to the person's history."""
        last = self._session.scalar(
            select(func.max(ApprovalRow.number)).where(ApprovalRow.user_id == user_id)
        )
        self._session.add(
            ApprovalRow(
                id=uuid7(),
                user_id=user_id,
                number=(last or 0) + 1,
                status=status,
                admin_id=admin_id,
                reason=reason,
            )
        )


def _shared(user_id: UUID, profile: OrganizerProfile | ComedianProfile) -> dict[str, Any]:
    return {
        "id": profile.id,
        "user_id": user_id,
        "contact": profile.contact,
        "youtube_urls": list(profile.youtube_urls),
        "instagram_urls": list(profile.instagram_urls),
        "social_links": profile.social_links and dict(profile.social_links),
    }

"""Every query about applications to become a creator, and about their approval."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.people import ComedianProfile, OrganizerProfile
from identity_service.models import ApprovalRow, ComedianProfileRow, OrganizerProfileRow


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

    def standing(self, user_id: UUID) -> ApprovalStatus | None:
        """Return the newest entry of the person's history, None if there is none."""
        return self._session.scalar(
            select(ApprovalRow.status)
            .where(ApprovalRow.user_id == user_id)
            .order_by(ApprovalRow.number.desc())
            .limit(1)
        )

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

"""Every query about what was agreed with creators, for other services."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from identity_service.domain.creators import Terms
from identity_service.models import ComedianProfileRow, OrganizerProfileRow, UserRow


class TermsRepository:
    """What was agreed with whoever puts shows on."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, user_ids: Iterable[UUID]) -> list[Terms]:
        """Return the terms of these people; unknown ids are left out.

        An account has one creator's profile at most. What was agreed with a creator holds on while
        the creator is an ADMIN.
        """
        fee = func.coalesce(
            OrganizerProfileRow.platform_fee_basis_points,
            ComedianProfileRow.platform_fee_basis_points,
        )
        found = self._session.execute(
            select(UserRow.id, fee)
            .outerjoin(OrganizerProfileRow, OrganizerProfileRow.user_id == UserRow.id)
            .outerjoin(ComedianProfileRow, ComedianProfileRow.user_id == UserRow.id)
            .where(UserRow.id.in_(list(user_ids)))
            .order_by(UserRow.id)
        )
        return [Terms(*row) for row in found]

"""What identity says of creators, and its effect on the shows that are sold."""

from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking_service.domain.creators import Standing
from booking_service.models import CreatorStandingRow, TicketInventoryRow

_CLAIM = "creator:"


class CreatorRepository:
    """Creators, by their id at identity; most are never heard of.

    A sale reads no table of creators: what holds for it is on the show's row, which it has locked.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(self, creator_id: UUID) -> None:
        """Have offers of this creator wait until this transaction ends: no show slips through."""
        self._session.execute(select(func.pg_advisory_xact_lock(_lock_id(creator_id))))

    def share(self, creator_id: UUID) -> None:
        """Have what changes this creator's terms wait until this transaction ends."""
        self._session.execute(select(func.pg_advisory_xact_lock_shared(_lock_id(creator_id))))

    def standing(self, creator_id: UUID) -> Standing | None:
        """Return what was last said of a creator, None if nothing was."""
        row = self._session.get(CreatorStandingRow, creator_id)
        return None if row is None else Standing(row.allowed, row.version)

    def set_standing(self, creator_id: UUID, standing: Standing) -> None:
        """Store a standing, in force for every sale that commits after this transaction.

        Call it with the creator claimed. It waits for the sales under way of each show.
        """
        values = {"allowed": standing.allowed, "version": standing.version}
        self._session.execute(
            insert(CreatorStandingRow)
            .values(creator_id=creator_id, **values)
            .on_conflict_do_update(
                index_elements=[CreatorStandingRow.creator_id],
                set_={**values, "updated_at": func.now()},
            )
        )
        self._lock_shows(creator_id)
        self._session.execute(
            update(TicketInventoryRow)
            .where(
                TicketInventoryRow.creator_id == creator_id,
                TicketInventoryRow.creator_allowed.is_not(standing.allowed),
            )
            .values(creator_allowed=standing.allowed)
            .execution_options(synchronize_session=False)
        )

    def _lock_shows(self, creator_id: UUID) -> None:
        """Lock the rows of a creator's shows, in the order in which sales lock them."""
        self._session.execute(
            select(TicketInventoryRow.show_id)
            .where(TicketInventoryRow.creator_id == creator_id)
            .order_by(TicketInventoryRow.show_id)
            .with_for_update()
        )


def _lock_id(creator_id: UUID) -> object:
    return func.hashtextextended(f"{_CLAIM}{creator_id}", 0)

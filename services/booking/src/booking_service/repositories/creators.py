"""What identity says of creators, and its effect on the shows that are sold."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Interval,
    and_,
    func,
    literal,
    not_,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking_service.domain.creators import PlatformFees, Standing
from booking_service.domain.deletions import Obstacle, ShowInTheWay
from booking_service.models import CreatorStandingRow, CreatorTermsRow, TicketInventoryRow
from booking_service.repositories.deletions import is_closed
from service_kit.person_hashes import PersonHashes

_CLAIM = "creator:"

# By the clock, as a transaction that waited for its locks has an old `now()`.
_SHOWS_IN_THE_WAY = """
SELECT found.show_id, found.title, found.obstacle FROM (
    SELECT i.show_id, i.title, i.starts_at, CASE
        WHEN c.show_id IS NOT NULL AND c.completed_at IS NULL THEN 'CANCELLATION_RUNNING'
        WHEN e.ended AND l.payable > 0 AND NOT l.disbursed THEN 'PAYOUT_OPEN'
        WHEN i.cancelled_at IS NULL AND EXISTS (
            SELECT FROM booking.booking AS b
            WHERE b.show_id = i.show_id AND b.user_id <> :creator_id AND (
                b.status = 'PENDING' AND b.expires_at > clock_timestamp()
                OR b.status IN ('CONFIRMED', 'CONFIRMED_UNPAID') AND NOT e.ended)
        ) THEN 'SHOWS_WITH_TICKETS' END AS obstacle
    FROM booking.ticket_inventory AS i
    LEFT JOIN booking.show_cancellation AS c ON c.show_id = i.show_id
    CROSS JOIN LATERAL (
        SELECT i.starts_at + i.duration_minutes * interval '1 minute' <= clock_timestamp() AS ended
    ) AS e
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(ticket_paise - platform_fee_paise - paid_out_paise), 0) AS payable,
               coalesce(bool_or(kind = 'DISBURSEMENT'), FALSE) AS disbursed
        FROM booking.ledger_entry WHERE show_id = i.show_id
    ) AS l
    WHERE i.creator_id = :creator_id
) AS found
WHERE found.obstacle IS NOT NULL
ORDER BY found.starts_at, found.show_id
"""


class CreatorRepository:
    """Creators, by their id at identity; most are never heard of.

    A sale reads no table of creators: what holds for it is on the show's row, which it has locked.
    """

    def __init__(self, session: Session, hashes: PersonHashes) -> None:
        self._session = session
        self._hashes = hashes

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
        self.put_in_force(creator_id)

    def put_in_force(self, creator_id: UUID) -> None:
        """Have the creator's shows sold, or not, as standing and fences say by now.

        Call it with the creator claimed. It waits for the sales under way of each show.
        """
        self.lock_shows(creator_id)
        row, allowed = TicketInventoryRow, is_allowed(creator_id, self._hashes)
        self._session.execute(
            update(row)
            .where(row.creator_id == creator_id, row.creator_allowed.is_distinct_from(allowed))
            .values(creator_allowed=allowed)
            .execution_options(synchronize_session=False)
        )

    def shows_in_the_way(self, creator_id: UUID) -> list[ShowInTheWay]:
        """Return the creator's shows that have to be settled before the creator can go, by date.

        Call it with the shows locked: nothing is sold, paid or cancelled meanwhile.
        """
        rows = self._session.execute(text(_SHOWS_IN_THE_WAY), {"creator_id": creator_id})
        return [ShowInTheWay(row.show_id, row.title, Obstacle(row.obstacle)) for row in rows]

    def show_ids(self, creator_id: UUID, *, limit: int) -> Sequence[UUID]:
        """Return some of a creator's shows, in the order in which they are locked."""
        row = TicketInventoryRow
        query = select(row.show_id).where(row.creator_id == creator_id)
        return self._session.scalars(query.order_by(row.show_id).limit(limit)).all()

    def ids(self, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        """Return some creators whose terms are known, in the order of their ids."""
        row = CreatorTermsRow
        query = select(row.creator_id).order_by(row.creator_id).limit(limit)
        if after is not None:
            query = query.where(row.creator_id > after)
        return self._session.scalars(query).all()

    def platform_fees(self, creator_ids: Sequence[UUID]) -> PlatformFees:
        """Return what is known to be agreed with these creators; unknown ones are absent."""
        row = CreatorTermsRow
        rows = self._session.execute(
            select(row.creator_id, row.platform_fee_basis_points).where(
                row.creator_id.in_(creator_ids)
            )
        )
        return {row.creator_id: row.platform_fee_basis_points for row in rows}

    def confirm_platform_fees(self, creator_ids: Sequence[UUID]) -> None:
        """Note that identity still says the same of these creators."""
        self._session.execute(
            update(CreatorTermsRow)
            .where(CreatorTermsRow.creator_id.in_(creator_ids))
            .values(confirmed_at=func.now())
            .execution_options(synchronize_session=False)
        )

    def set_platform_fee(self, creator_id: UUID, basis_points: int | None) -> None:
        """Store what was agreed with a creator, for every sale that commits from now on.

        Call it with the creator claimed. It waits for the sales under way of each show.
        """
        values = {"platform_fee_basis_points": basis_points}
        self._session.execute(
            insert(CreatorTermsRow)
            .values(creator_id=creator_id, **values)
            .on_conflict_do_update(
                index_elements=[CreatorTermsRow.creator_id],
                set_={**values, "confirmed_at": func.now()},
            )
        )
        self.lock_shows(creator_id)
        self._session.execute(
            update(TicketInventoryRow)
            .where(
                TicketInventoryRow.creator_id == creator_id,
                TicketInventoryRow.creator_fee_basis_points.is_distinct_from(basis_points),
            )
            .values(creator_fee_basis_points=basis_points)
            .execution_options(synchronize_session=False)
        )

    def age_of_platform_fees(self) -> timedelta | None:
        """Return how long ago identity confirmed the oldest of them, None if none is known."""
        age = func.now() - func.min(CreatorTermsRow.confirmed_at)
        return self._session.scalar(select(type_coerce(age, Interval)))

    def lock_shows(self, creator_id: UUID) -> None:
        """Lock the rows of a creator's shows, in the order in which sales lock them."""
        self._session.execute(
            select(TicketInventoryRow.show_id)
            .where(TicketInventoryRow.creator_id == creator_id)
            .order_by(TicketInventoryRow.show_id)
            .with_for_update()
        )


def is_allowed(creator_id: UUID | None, hashes: PersonHashes) -> ColumnElement[bool]:
    """Return whether a creator's shows may be sold, as a column.

    The standing must allow it, and the creator's account must not be in deletion.
    """
    if creator_id is None:
        return literal(True)
    standing = (
        select(CreatorStandingRow.allowed)
        .where(CreatorStandingRow.creator_id == creator_id)
        .scalar_subquery()
    )
    return and_(func.coalesce(standing, True), not_(is_closed(hashes.of(creator_id))))


def _lock_id(creator_id: UUID) -> object:
    return func.hashtextextended(f"{_CLAIM}{creator_id}", 0)

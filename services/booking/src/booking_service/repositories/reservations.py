"""What moves seats: the sale, one call of one SQL function, and the moves of its bookings.

Locks are taken in one order everywhere: keys, shows by id, then what belongs to a show.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.orm import Session

from booking_service.domain.bookings import (
    ACTIVE,
    EDGES,
    SEATS_IN,
    BookingAtHand,
    BookingStatus,
)
from booking_service.domain.refunds import DEFAULT_POLICY, Money, stored_policy
from booking_service.models import BookingRow, BuyerShowRow, TicketInventoryRow
from booking_service.repositories.inventory import InventoryRepository

_RELEASE_EXPIRED = text("SELECT booking.release_expired_v1(:show_id)")


class ReservationRepository:
    """Takes seats and writes bookings; nothing else moves the counters of a show."""

    def __init__(self, session: Session, inventories: InventoryRepository) -> None:
        self._session = session
        self._inventories = inventories

    def take_in_hand(self, booking_id: UUID) -> BookingAtHand | None:
        """Lock the show of a booking and return both, None if there is no such booking.

        Holds of the show that have ended are released before, so that `PENDING` is what it says.
        """
        show_id = self._session.scalar(
            select(BookingRow.show_id).where(BookingRow.id == booking_id)
        )
        if show_id is None:
            return None
        show = self._inventories.lock(show_id)
        if show is not None and show.locked and self.release_expired(show_id):
            show = self._inventories.lock(show_id)
        if show is None:
            raise AssertionError("the show of a booking cannot be removed")
        row, now = self._session.execute(
            select(BookingRow, func.clock_timestamp())
            .where(BookingRow.id == booking_id)
            .execution_options(populate_existing=True)
        ).one()
        return BookingAtHand(
            id=row.id,
            buyer_id=row.user_id,
            quantity=row.quantity,
            price=Money(row.ticket_total_paise, row.convenience_fee_paise),
            platform_fee_basis_points=row.platform_fee_basis_points,
            status=row.status,
            booked_at=row.created_at,
            refund_policy=(
                stored_policy(row.refund_policy) if row.refund_policy else DEFAULT_POLICY
            ),
            anonymous=row.retain_until is not None,
            show=show,
            now=now,
        )

    def move(self, booking: BookingAtHand, to: BookingStatus) -> None:
        """Move a booking along an edge, and with it the seats of its show and its buyer's tickets.

        The CHECKs of the tables refuse seats that are not there.
        """
        if to not in EDGES[booking.status]:
            raise ValueError(f"a booking does not go from {booking.status} to {to}")
        values = {"expires_at": None} if to is BookingStatus.CONFIRMED else {}
        self._move_tickets(booking, to)
        self._move_seats(booking, to)
        moved = self._session.execute(
            update(BookingRow)
            .where(BookingRow.id == booking.id, BookingRow.status == booking.status)
            .values(status=to, updated_at=func.now(), **values)
            .returning(BookingRow.id)
        ).one_or_none()
        if moved is None:
            raise AssertionError("a booking was moved by somebody who has not locked its show")

    def active_tickets(self, booking: BookingAtHand) -> int:
        """Return how many tickets of the show its buyer holds or has."""
        return self._session.scalar(select(BuyerShowRow.active).where(*_buyer(booking))) or 0

    def shows_with_expired(self, *, limit: int) -> list[UUID]:
        """Return some shows of which holds have ended."""
        row = BookingRow
        ended = (row.status == BookingStatus.PENDING, row.expires_at <= func.now())
        found = self._session.scalars(select(row.show_id).where(*ended).distinct().limit(limit))
        return list(found)

    def _move_tickets(self, booking: BookingAtHand, to: BookingStatus) -> None:
        change = (to in ACTIVE) - (booking.status in ACTIVE)
        if change:
            self._session.execute(
                update(BuyerShowRow)
                .where(*_buyer(booking))
                .values(active=BuyerShowRow.active + change * booking.quantity)
            )

    def _move_seats(self, booking: BookingAtHand, to: BookingStatus) -> None:
        before, after = SEATS_IN[booking.status].value, SEATS_IN[to].value
        if before == after:
            return
        row = TicketInventoryRow
        self._session.execute(
            update(row)
            .where(row.show_id == booking.show.offer.show_id)
            .values(
                {
                    before: getattr(row, before) - booking.quantity,
                    after: getattr(row, after) + booking.quantity,
                }
            )
        )

    def release_expired(self, show_id: UUID) -> int:
        """Give the seats of a show's ended holds back; return how many holds ended.

        Locks the show's row. A hold is released once, however often this is called.
        """
        return int(self._session.scalar(_RELEASE_EXPIRED, {"show_id": show_id}) or 0)


def _buyer(booking: BookingAtHand) -> tuple[ColumnElement[bool], ...]:
    return (
        BuyerShowRow.user_id == booking.buyer_id,
        BuyerShowRow.show_id == booking.show.offer.show_id,
    )

"""Reads of bookings; ownership is part of every query."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from booking_service.domain.bookings import ACTIVE, BookedShow, Booking
from booking_service.models import BookingRow, TicketInventoryRow


class BookingRepository:
    """Bookings with the show as it is offered now."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of_buyer(
        self, buyer_id: UUID, *, show_id: UUID | None = None, before: UUID | None = None, limit: int
    ) -> Sequence[Booking]:
        """Return a person's bookings, newest first; only those older than `before`."""
        query = _bookings().where(BookingRow.user_id == buyer_id)
        if show_id is not None:
            query = query.where(BookingRow.show_id == show_id)
        if before is not None:
            query = query.where(BookingRow.id < before)
        rows = self._session.execute(query.order_by(BookingRow.id.desc()).limit(limit))
        return [_booking(booking, show) for booking, show in rows]

    def count_active(self, show_ids: Sequence[UUID]) -> dict[UUID, int]:
        """Return how many bookings hold or have seats, by show; shows without any are absent."""
        rows = self._session.execute(
            select(BookingRow.show_id, func.count().label("bookings"))
            .where(BookingRow.show_id.in_(show_ids), BookingRow.status.in_(ACTIVE))
            .group_by(BookingRow.show_id)
        )
        return {row.show_id: row.bookings for row in rows}

    def one_of_buyer(self, buyer_id: UUID, booking_id: UUID) -> Booking | None:
        """Return a person's booking, None if there is none with this id or it is another's."""
        row = self._session.execute(
            _bookings().where(BookingRow.user_id == buyer_id, BookingRow.id == booking_id)
        ).one_or_none()
        return None if row is None else _booking(*row)


def _bookings() -> Select[BookingRow, TicketInventoryRow]:
    return select(BookingRow, TicketInventoryRow).join(
        TicketInventoryRow, TicketInventoryRow.show_id == BookingRow.show_id
    )


def _booking(booking: BookingRow, show: TicketInventoryRow) -> Booking:
    return Booking(
        id=booking.id,
        show=BookedShow(
            id=show.show_id,
            title=show.title,
            starts_at=show.starts_at,
            venue=show.venue,
            price_paise=show.price_paise,
            poster_image_url=show.poster_image_url,
        ),
        quantity=booking.quantity,
        ticket_total_paise=booking.ticket_total_paise,
        convenience_fee_paise=booking.convenience_fee_paise,
        platform_fee_paise=booking.platform_fee_paise,
        status=booking.status,
        created_at=booking.created_at,
        expires_at=booking.expires_at,
    )

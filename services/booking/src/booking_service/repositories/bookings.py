"""Reads of bookings; ownership is part of every query."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from booking_service.domain.bookings import (
    ACTIVE,
    BookedShow,
    Booking,
    BookingStatus,
    Sales,
)
from booking_service.domain.settlement import LedgerKind
from booking_service.models import (
    AdmissionRow,
    BookingRow,
    LedgerEntryRow,
    PaymentOrderRow,
    TicketInventoryRow,
)
from booking_service.repositories.payments import payment_order

HELD_TOO_LONG = and_(
    BookingRow.status == BookingStatus.PENDING, BookingRow.expires_at <= func.now()
)
"""A hold that has ended counts as FAILED at once, whether or not its seats were given back yet."""

SOLD = (BookingStatus.CONFIRMED, BookingStatus.CONFIRMED_UNPAID)


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
        return [_booking(*row) for row in rows]

    def holds_and_active(self, show_ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
        """Return by show: tickets in holds that have ended, and bookings that hold or have seats.

        Shows with neither are absent.
        """
        ended, active = BookingRow.quantity, func.count()
        rows = self._session.execute(
            select(
                BookingRow.show_id,
                func.coalesce(func.sum(ended).filter(HELD_TOO_LONG), 0).label("ended"),
                active.filter(or_(BookingRow.expires_at.is_(None), ~HELD_TOO_LONG)).label("active"),
            )
            .where(BookingRow.show_id.in_(show_ids), BookingRow.status.in_(ACTIVE))
            .group_by(BookingRow.show_id)
        )
        return {row.show_id: (int(row.ended), row.active) for row in rows}

    def sales(self, show_ids: Sequence[UUID]) -> list[Sales]:
        """Return what was sold of the shows that are known here, confirmed bookings only."""
        show = TicketInventoryRow
        rows = self._session.execute(
            select(
                show.show_id,
                func.coalesce(func.sum(BookingRow.quantity), 0),
                func.coalesce(func.sum(BookingRow.ticket_total_paise), 0),
                func.count(BookingRow.id),
                exists()
                .where(
                    LedgerEntryRow.show_id == show.show_id,
                    LedgerEntryRow.kind == LedgerKind.DISBURSEMENT,
                )
                .correlate(show),
            )
            .outerjoin(
                BookingRow, and_(BookingRow.show_id == show.show_id, BookingRow.status.in_(SOLD))
            )
            .where(show.show_id.in_(show_ids))
            .group_by(show.show_id)
        )
        return [
            Sales(
                show_id,
                tickets=int(tickets),
                revenue_paise=int(revenue),
                bookings=bookings,
                disbursed=disbursed,
            )
            for show_id, tickets, revenue, bookings, disbursed in rows
        ]

    def to_give_up(self, buyer_id: UUID, *, limit: int) -> Sequence[UUID]:
        """Return some bookings of a person that are given up if the person goes, oldest first.

        All that are held, and of those with tickets what the buyer could still cancel.
        """
        show, clock = TicketInventoryRow, func.clock_timestamp()
        used = exists().where(AdmissionRow.booking_id == BookingRow.id)
        ahead = or_(show.cancelled_at.is_not(None), and_(show.starts_at > clock, ~used))
        query = (
            select(BookingRow.id)
            .join(show, show.show_id == BookingRow.show_id)
            .where(
                BookingRow.user_id == buyer_id,
                or_(
                    BookingRow.status == BookingStatus.PENDING,
                    and_(BookingRow.status.in_(SOLD), ahead),
                ),
            )
        )
        return self._session.scalars(query.order_by(BookingRow.id).limit(limit)).all()

    def show_ids_of(self, buyer_id: UUID) -> Sequence[UUID]:
        """Return the shows that a person ever booked."""
        query = select(BookingRow.show_id).where(BookingRow.user_id == buyer_id).distinct()
        return self._session.scalars(query).all()

    def any_of_show(self, show_id: UUID) -> bool:
        """Return whether a show was ever booked, whatever became of it."""
        query = select(BookingRow.id).where(BookingRow.show_id == show_id).limit(1)
        return self._session.scalar(query) is not None

    def one_of_buyer(self, buyer_id: UUID, booking_id: UUID) -> Booking | None:
        """Return a person's booking, None if there is none with this id or it is another's."""
        row = self._session.execute(
            _bookings().where(BookingRow.user_id == buyer_id, BookingRow.id == booking_id)
        ).one_or_none()
        return None if row is None else _booking(*row)


def _bookings() -> Select[BookingRow, TicketInventoryRow, BookingStatus, PaymentOrderRow]:
    return (
        select(BookingRow, TicketInventoryRow, _status_now(), PaymentOrderRow)
        .join(TicketInventoryRow, TicketInventoryRow.show_id == BookingRow.show_id)
        .outerjoin(PaymentOrderRow, PaymentOrderRow.booking_id == BookingRow.id)
    )


def _status_now() -> ColumnElement[BookingStatus]:
    status = BookingRow.status
    return type_coerce(case((HELD_TOO_LONG, BookingStatus.FAILED), else_=status), status.type)


def _booking(
    booking: BookingRow,
    show: TicketInventoryRow,
    status: BookingStatus,
    order: PaymentOrderRow | None,
) -> Booking:
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
        status=status,
        created_at=booking.created_at,
        expires_at=booking.expires_at,
        payment=None if order is None else payment_order(order),
    )

"""What is stored here about one person."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from booking_service.models import (
    AdmissionRow,
    BookingMoveRow,
    BookingRow,
    BuyerShowRow,
    CreatorStandingRow,
    CreatorTermsRow,
    IdempotencyKeyRow,
    LedgerEntryRow,
    LedgerPersonRow,
    PaymentNewsRow,
    PaymentOrderRow,
    PaymentRow,
    RefundRow,
    ShowCancellationRow,
    TicketInventoryRow,
)


class PersonRepository:
    """Everything that names a person, or hangs on what does, by section."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def stored_about(self, person_id: UUID) -> dict[str, Sequence[RowMapping]]:
        """Return the rows about a person, oldest first; nobody else's."""
        booking, show, key = BookingRow, TicketInventoryRow, IdempotencyKeyRow
        order, payment, news = PaymentOrderRow, PaymentRow, PaymentNewsRow
        names = select(LedgerPersonRow.reference).where(LedgerPersonRow.user_id == person_id)
        mine = select(booking.id).where(booking.user_id == person_id)
        orders = select(order.order_id).where(order.booking_id.in_(mine))
        return {
            "bookings": self._rows(booking, booking.user_id == person_id, booking.id),
            "booking_moves": self._rows(
                BookingMoveRow, BookingMoveRow.booking_id.in_(mine), BookingMoveRow.id
            ),
            "admissions": self._rows(
                AdmissionRow, AdmissionRow.booking_id.in_(mine), AdmissionRow.admitted_at
            ),
            "refunds": self._rows(RefundRow, RefundRow.booking_id.in_(mine), RefundRow.id),
            "payment_orders": self._rows(order, order.booking_id.in_(mine), order.created_at),
            "payments": self._rows(payment, payment.order_id.in_(orders), payment.created_at),
            "payment_news": self._rows(news, news.order_id.in_(orders), news.id),
            "tickets_per_show": self._rows(
                BuyerShowRow, BuyerShowRow.user_id == person_id, BuyerShowRow.show_id
            ),
            "idempotency_keys": self._rows(key, key.user_id == person_id, key.created_at),
            "shows": self._rows(show, show.creator_id == person_id, show.show_id),
            "standing_as_creator": self._rows(
                CreatorStandingRow,
                CreatorStandingRow.creator_id == person_id,
                CreatorStandingRow.creator_id,
            ),
            "terms_as_creator": self._rows(
                CreatorTermsRow,
                CreatorTermsRow.creator_id == person_id,
                CreatorTermsRow.creator_id,
            ),
            "ledger_entries": self._rows(
                LedgerEntryRow,
                or_(LedgerEntryRow.booking_id.in_(mine), LedgerEntryRow.actor.in_(names)),
                LedgerEntryRow.id,
            ),
            "cancelled_shows": self._rows(
                ShowCancellationRow,
                ShowCancellationRow.actor_id == person_id,
                ShowCancellationRow.started_at,
            ),
        }

    def _rows(
        self, table: Any, about: ColumnElement[bool], order: InstrumentedAttribute[Any]
    ) -> Sequence[RowMapping]:
        query = select(*table.__table__.columns).where(about).order_by(order)
        return self._session.execute(query).mappings().all()

"""What is stored here about one person."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, delete, func, or_, select, union, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from booking_service.domain.cancellations import REASON_OF_NOBODY
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

_ABOUT_ONE_PERSON = (
    (CreatorStandingRow, CreatorStandingRow.creator_id),
    (CreatorTermsRow, CreatorTermsRow.creator_id),
    (IdempotencyKeyRow, IdempotencyKeyRow.user_id),
    (LedgerPersonRow, LedgerPersonRow.user_id),
)
"""What goes with the person, as nothing else needs it."""

_NAMING_PEOPLE = (
    select(BookingRow.user_id).where(BookingRow.retain_until.is_(None)),
    select(BuyerShowRow.user_id),
    select(TicketInventoryRow.creator_id),
    select(ShowCancellationRow.actor_id),
    *(select(person) for _, person in _ABOUT_ONE_PERSON),
)
"""Every column with ids of people; a test knows of all columns there are."""


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

    def ids(self, *, after: UUID, limit: int) -> Sequence[UUID]:
        """Return some people who are named here, in the order of their ids.

        Each table is asked for a page of its own index, however many rows it has. A reference
        to somebody who is gone may be among them: it is nobody's id.
        """
        pages = []
        for naming in _NAMING_PEOPLE:
            (person,) = naming.selected_columns
            page = naming.where(person > after).distinct().order_by(person).limit(limit)
            pages.append(select(page.subquery()))
        found = union(*pages).subquery()
        (person,) = found.c
        return self._session.scalars(select(person).order_by(person).limit(limit)).all()

    def forget(self, person_id: UUID, *, reference: UUID, retention_years: int) -> int:
        """Take a person out of everything; return how many bookings stay, under a reference.

        Call it with the person claimed, the shows the person booked locked, and none left that the
        person created.
        """
        for table, person in _ABOUT_ONE_PERSON:
            self._session.execute(delete(table).where(person == person_id))
        cancellation = ShowCancellationRow
        self._session.execute(
            update(cancellation)
            .where(cancellation.actor_id == person_id)
            .values(actor_id=None, reason=REASON_OF_NOBODY)
        )
        forget = func.booking.forget_person_v1(person_id, reference, retention_years)
        return int(self._session.scalar(select(forget)) or 0)

    def _rows(
        self, table: Any, about: ColumnElement[bool], order: InstrumentedAttribute[Any]
    ) -> Sequence[RowMapping]:
        query = select(*table.__table__.columns).where(about).order_by(order)
        return self._session.execute(query).mappings().all()

"""The ledger of each show: what came in, went back and was paid out. Rows are added only."""

from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking_service.domain.bookings import BookingAtHand
from booking_service.domain.refunds import Money
from booking_service.domain.settlement import (
    Disbursement,
    Entry,
    LedgerKind,
    captured,
    refunded,
)
from booking_service.models import LedgerEntryRow, LedgerPersonRow

BALANCE = (
    LedgerEntryRow.ticket_paise - LedgerEntryRow.platform_fee_paise - LedgerEntryRow.paid_out_paise
)
"""What a row adds to what a creator is still owed."""


class LedgerRepository:
    """Call it with the show's row locked: the rows of a show are in the order of their ids."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def record_capture(self, booking: BookingAtHand) -> None:
        """Write down that a booking's price was captured; of a free one there is nothing to."""
        if booking.price.total_paise:
            self._add(
                booking,
                captured(
                    booking.price, platform_fee_basis_points=booking.platform_fee_basis_points
                ),
            )

    def record_refund(self, booking: BookingAtHand, given_back: Money) -> None:
        """Write down that captured money of a booking is owed back; nothing if it is nothing."""
        if given_back.total_paise:
            self._add(
                booking,
                refunded(
                    booking.price,
                    given_back,
                    platform_fee_basis_points=booking.platform_fee_basis_points,
                ),
            )

    def balance(self, show_id: UUID) -> int:
        """Return what a show's creator is still owed; below 0, what was paid out too much."""
        row = LedgerEntryRow
        return int(
            self._session.scalar(
                select(func.coalesce(func.sum(BALANCE), 0)).where(row.show_id == show_id)
            )
            or 0
        )

    def any_of_show(self, show_id: UUID) -> bool:
        """Return whether money of a show ever moved."""
        query = select(LedgerEntryRow.id).where(LedgerEntryRow.show_id == show_id).limit(1)
        return self._session.scalar(query) is not None

    def is_disbursed(self, show_id: UUID) -> bool:
        """Return whether a show's creator was paid out."""
        row = LedgerEntryRow
        found = select(row.id).where(row.show_id == show_id, row.kind == LedgerKind.DISBURSEMENT)
        return self._session.scalar(found) is not None

    def disburse(self, show_id: UUID, *, amount_paise: int, actor_id: UUID) -> Disbursement:
        """Write down that a show's creator is paid out. The table refuses a second time."""
        disbursed_at = self._session.scalars(
            insert(LedgerEntryRow)
            .values(
                show_id=show_id,
                kind=LedgerKind.DISBURSEMENT,
                paid_out_paise=amount_paise,
                actor=self._reference_of(actor_id),
            )
            .returning(LedgerEntryRow.created_at)
        ).one()
        return Disbursement(amount_paise, disbursed_at)

    def _add(self, booking: BookingAtHand, entry: Entry) -> None:
        self._session.execute(
            insert(LedgerEntryRow).values(
                show_id=booking.show.offer.show_id,
                booking_id=booking.id,
                kind=entry.kind,
                ticket_paise=entry.money.ticket_paise,
                convenience_fee_paise=entry.money.convenience_fee_paise,
                platform_fee_paise=entry.platform_fee_paise,
            )
        )

    def _reference_of(self, person: UUID) -> str:
        """Return the random name under which the ledger knows a person, made when first needed."""
        row = LedgerPersonRow
        self._session.execute(
            insert(row)
            .values(reference=str(uuid4()), user_id=person)
            .on_conflict_do_nothing(index_elements=[row.user_id])
        )
        return self._session.scalars(select(row.reference).where(row.user_id == person)).one()

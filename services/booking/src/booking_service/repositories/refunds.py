"""Money that buyers get back."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from booking_service.domain.refunds import Money, Refund, RefundReason, RefundStatus
from booking_service.models import RefundRow


class RefundRepository:
    """Refunds that are owed, and what became of them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def owe(self, booking_id: UUID, money: Money, reason: RefundReason) -> None:
        """Write down that a buyer is to get captured money back; nothing if it is nothing."""
        if not money.total_paise:
            return
        self._session.add(
            RefundRow(
                id=uuid7(),
                booking_id=booking_id,
                reason=reason,
                ticket_paise=money.ticket_paise,
                convenience_fee_paise=money.convenience_fee_paise,
                status=RefundStatus.DUE,
            )
        )

    def of_booking(self, booking_id: UUID) -> Sequence[Refund]:
        """Return the refunds of a booking, oldest first."""
        row = RefundRow
        found = self._session.execute(
            select(row.ticket_paise + row.convenience_fee_paise, row.status)
            .where(row.booking_id == booking_id)
            .order_by(row.id)
        )
        return [Refund(amount, status) for amount, status in found]

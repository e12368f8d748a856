"""Money that buyers get back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Interval, Select, func, select, type_coerce, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from booking_service.domain.payments import Verdict
from booking_service.domain.refunds import Money, Refund, RefundReason, RefundStatus, reference_of
from booking_service.models import PaymentOrderRow, PaymentRow, RefundRow
from booking_service.repositories.work import Work

MAX_FAILURE = 200


@dataclass(frozen=True, slots=True)
class OwedRefund:
    """A refund with what the provider needs to know."""

    id: UUID
    payment_id: str | None  # None: nothing of its booking was captured
    amount_paise: int
    status: RefundStatus
    attempt: int

    @property
    def reference(self) -> str:
        """Our name for this attempt; the provider makes one refund of a name."""
        return reference_of(self.id, self.attempt)


class RefundRepository:
    """Refunds that are owed, and what became of them."""

    def __init__(self, session: Session, work: Work) -> None:
        self._session = session
        self._work = work

    def owe(
        self,
        booking_id: UUID,
        money: Money,
        reason: RefundReason,
        *,
        payment_id: str | None = None,
    ) -> None:
        """Write down that a buyer is to get captured money back, and have it sent.

        Nothing if it is nothing. Without a payment: of the one by which the booking was confirmed.
        """
        if not money.total_paise:
            return
        refund_id = uuid7()
        self._session.add(
            RefundRow(
                id=refund_id,
                booking_id=booking_id,
                reason=reason,
                ticket_paise=money.ticket_paise,
                convenience_fee_paise=money.convenience_fee_paise,
                status=RefundStatus.DUE,
                payment_id=payment_id,
            )
        )
        self._work.send_refund(refund_id, attempt=1)

    def of_booking(self, booking_id: UUID) -> Sequence[Refund]:
        """Return the refunds of a booking, oldest first."""
        row = RefundRow
        found = self._session.execute(
            select(row.ticket_paise + row.convenience_fee_paise, row.status)
            .where(row.booking_id == booking_id)
            .order_by(row.id)
        )
        return [Refund(amount, status) for amount, status in found]

    def owed(self, refund_id: UUID) -> OwedRefund | None:
        """Return a refund with the payment it is of, None if there is none."""
        return next(iter(self._owed(_owed().where(RefundRow.id == refund_id))), None)

    def open_for(
        self, age: timedelta, *, status: RefundStatus, below_attempt: int = 1_000, limit: int
    ) -> Sequence[OwedRefund]:
        """Return refunds in a state, but done, of which nothing was heard for so long."""
        row = RefundRow
        old = (
            row.status == status,
            row.status != RefundStatus.DONE,  # as the index has it
            row.updated_at <= func.now() - age,
            row.attempt < below_attempt,
        )
        return self._owed(_owed().where(*old).order_by(row.updated_at).limit(limit))

    def reported(
        self,
        refund_id: UUID,
        *,
        attempt: int,
        status: RefundStatus,
        provider_refund_id: str | None,
        failure: str | None = None,
    ) -> bool:
        """Store what became of an attempt; False if that attempt was over already.

        So late and repeated news change nothing.
        """
        row = RefundRow
        stored = self._session.execute(
            update(row)
            .where(
                row.id == refund_id,
                row.attempt == attempt,
                row.status.in_((RefundStatus.DUE, RefundStatus.SENT)),
            )
            .values(
                status=status,
                provider_refund_id=func.coalesce(provider_refund_id, row.provider_refund_id),
                failure=func.coalesce(failure and failure[:MAX_FAILURE], row.failure),
                updated_at=func.now(),
            )
            .returning(row.id)
        )
        return stored.one_or_none() is not None

    def try_again(self, refund: OwedRefund) -> None:
        """Have a failed refund sent once more, unless somebody else just did."""
        row = RefundRow
        due = self._session.execute(
            update(row)
            .where(
                row.id == refund.id,
                row.attempt == refund.attempt,
                row.status == RefundStatus.FAILED,
            )
            .values(
                status=RefundStatus.DUE,
                attempt=refund.attempt + 1,
                provider_refund_id=None,
                updated_at=func.now(),
            )
            .returning(row.attempt)
        ).one_or_none()
        if due is not None:
            self._work.send_refund(refund.id, attempt=due.attempt)

    def put_off(self, refund: OwedRefund) -> None:
        """Have others come first the next time: of this one nothing new could be heard."""
        row = RefundRow
        self._session.execute(
            update(row)
            .where(
                row.id == refund.id,
                row.attempt == refund.attempt,
                row.status == refund.status,
            )
            .values(updated_at=func.now())
        )

    def unfinished(self) -> dict[RefundStatus, int]:
        """Return how many refunds are not done, by how far they are."""
        row = RefundRow
        found = self._session.execute(
            select(row.status, func.count().label("refunds"))
            .where(row.status != RefundStatus.DONE)
            .group_by(row.status)
        )
        return {row.status: row.refunds for row in found}

    def age_of_oldest_unsent(self) -> timedelta:
        """Return since when a refund is owed that the provider was not asked for; 0 if none is."""
        since = func.min(RefundRow.created_at)
        age = self._session.scalar(
            select(type_coerce(func.now() - since, Interval)).where(
                RefundRow.status == RefundStatus.DUE
            )
        )
        return age or timedelta()

    def _owed(self, query: Select[UUID, str | None, int, RefundStatus, int]) -> list[OwedRefund]:
        return [OwedRefund(*row) for row in self._session.execute(query)]


def _owed() -> Select[UUID, str | None, int, RefundStatus, int]:
    row = RefundRow
    confirming = (
        select(PaymentRow.payment_id)
        .join(PaymentOrderRow, PaymentOrderRow.order_id == PaymentRow.order_id)
        .where(
            PaymentOrderRow.booking_id == row.booking_id,
            PaymentRow.verdict == Verdict.CONFIRMED,
        )
        .correlate(row)
        .scalar_subquery()
    )
    return select(
        row.id,
        func.coalesce(row.payment_id, confirming),
        row.ticket_paise + row.convenience_fee_paise,
        row.status,
        row.attempt,
    )

"""Orders at the payment provider, the payments made on them, and the news about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Interval, Select, and_, case, func, null, select, type_coerce, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from booking_service.domain.bookings import BookingStatus
from booking_service.domain.payments import Payment, PaymentOrder, PaymentStatus, Verdict
from booking_service.models import BookingRow, PaymentNewsRow, PaymentOrderRow, PaymentRow

HELD = and_(
    BookingRow.status == BookingStatus.PENDING, BookingRow.expires_at > func.clock_timestamp()
)


@dataclass(frozen=True, slots=True)
class News:
    """What an entry of the inbox is about."""

    event: str
    order_id: str | None
    payment_id: str | None


@dataclass(frozen=True, slots=True)
class Unordered:
    """A hold that is to be paid online, and for which the provider has no order yet."""

    booking_id: UUID
    amount_paise: int


class PaymentRepository:
    """What was ordered of the provider, and what it reported."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def order(self, order_id: str) -> PaymentOrder | None:
        """Return an order by the provider's id, None if it is not one of ours."""
        return self._order(select(PaymentOrderRow).where(PaymentOrderRow.order_id == order_id))

    def order_for(self, booking_id: UUID) -> PaymentOrder | None:
        """Return the order of a booking, None if there is none (yet)."""
        return self._order(select(PaymentOrderRow).where(PaymentOrderRow.booking_id == booking_id))

    def is_awaited(self, order: PaymentOrder) -> bool:
        """Return whether the booking of an order still holds its seats for the payment."""
        return bool(self._session.scalar(select(HELD).where(BookingRow.id == order.booking_id)))

    def add_order(self, order: PaymentOrder, *, check_after: timedelta) -> None:
        """Store the order of a booking at hand.

        If there is an order already, that one stays: this one was never shown to anybody.
        """
        row = PaymentOrderRow
        self._session.execute(
            insert(row)
            .values(
                order_id=order.id,
                booking_id=order.booking_id,
                provider=order.provider,
                key_id=order.key_id,
                amount_paise=order.amount_paise,
                currency=order.currency,
                check_at=func.now() + check_after,
            )
            .on_conflict_do_nothing(index_elements=[row.booking_id])
        )

    def unordered(self, *, for_at_least: timedelta, limit: int) -> Sequence[Unordered]:
        """Return holds without an order that are older than that, any of them if there are more.

        Their request was cut off.
        """
        total = BookingRow.ticket_total_paise + BookingRow.convenience_fee_paise
        rows = self._session.execute(
            select(BookingRow.id, total.label("amount"))
            .outerjoin(PaymentOrderRow, PaymentOrderRow.booking_id == BookingRow.id)
            .where(
                HELD,
                PaymentOrderRow.order_id.is_(None),
                BookingRow.created_at < func.now() - for_at_least,
            )
            .order_by(func.random())  # what cannot be ordered must not come first every time
            .limit(limit)
        )
        return [Unordered(row.id, row.amount) for row in rows]

    def note(self, payment: Payment) -> None:
        """Store how far a payment got that is not captured. A captured one stays as it is."""
        row = PaymentRow
        added = insert(row).values(
            payment_id=payment.id,
            order_id=payment.order_id,
            amount_paise=payment.amount_paise,
            currency=payment.currency,
            status=payment.status,
        )
        self._session.execute(
            added.on_conflict_do_update(
                index_elements=[row.payment_id],
                set_={"status": added.excluded.status, "updated_at": func.now()},
                where=row.status != PaymentStatus.CAPTURED,
            )
        )

    def is_captured(self, payment: Payment) -> bool:
        """Return whether the capture of a payment has had its effect."""
        return bool(
            self._session.scalar(
                select(PaymentRow.status == PaymentStatus.CAPTURED).where(
                    PaymentRow.payment_id == payment.id
                )
            )
        )

    def capture(self, payment: Payment, verdict: Verdict) -> None:
        """Store that a payment is captured, and what that leads to; with its show's row locked.

        What was captured is what is stored, also if it is not what was ordered.
        """
        row = PaymentRow
        added = insert(row).values(
            payment_id=payment.id,
            order_id=payment.order_id,
            amount_paise=payment.amount_paise,
            currency=payment.currency,
            status=PaymentStatus.CAPTURED,
            verdict=verdict,
        )
        self._session.execute(
            added.on_conflict_do_update(
                index_elements=[row.payment_id],
                set_={
                    "status": added.excluded.status,
                    "verdict": added.excluded.verdict,
                    "updated_at": func.now(),
                },
                where=row.status != PaymentStatus.CAPTURED,
            )
        )

    def due(self, *, limit: int) -> Sequence[str]:
        """Return orders about which the provider is to be asked by now."""
        row = PaymentOrderRow
        return self._session.scalars(
            select(row.order_id)
            .where(row.check_at <= func.now())
            .order_by(row.check_at)
            .limit(limit)
        ).all()

    def check_later(
        self,
        order_id: str,
        *,
        at_least: timedelta,
        at_most: timedelta,
        at_most_for: timedelta,
        until: timedelta,
    ) -> None:
        """Ask about an order again when it is twice as old; not any more once it is too old.

        For a while the time to the next question is limited.
        """
        row = PaymentOrderRow
        age = func.now() - row.created_at
        wait = case((age < at_most_for, func.least(age, at_most)), else_=age)
        later = func.now() + func.greatest(wait, at_least)
        self._session.execute(
            update(row)
            .where(row.order_id == order_id, row.check_at.is_not(None))
            .values(check_at=case((age < until, later), else_=null()))
        )

    def paid(self, order_id: str, *, check_after: timedelta) -> None:
        """Expect little of an order any more: it is paid, unless it is paid twice."""
        row = PaymentOrderRow
        self._session.execute(
            update(row).where(row.order_id == order_id).values(check_at=func.now() + check_after)
        )

    def _order(self, query: Select[PaymentOrderRow]) -> PaymentOrder | None:
        row = self._session.scalars(query).one_or_none()
        return None if row is None else payment_order(row)


class PaymentNewsRepository:
    """The inbox: what the provider or a browser said happened, each thing once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, news: News, *, digest: str) -> UUID | None:
        """Put news into the inbox and return its id, None if the same is there already."""
        return self._session.scalar(
            insert(PaymentNewsRow)
            .values(
                id=uuid7(),
                digest=digest,
                event=news.event,
                order_id=news.order_id,
                payment_id=news.payment_id,
            )
            .on_conflict_do_nothing(index_elements=[PaymentNewsRow.digest])
            .returning(PaymentNewsRow.id)
        )

    def unhandled(self, news_id: UUID) -> News | None:
        """Return news that nobody has handled yet, None if somebody has."""
        row = self._session.get(PaymentNewsRow, news_id)
        if row is None or row.handled_at is not None:
            return None
        return News(row.event, row.order_id, row.payment_id)

    def waiting(self, age: timedelta, *, limit: int) -> Sequence[UUID]:
        """Return news that have been in the inbox for so long, any of them if there are more."""
        row = PaymentNewsRow
        return self._session.scalars(
            select(row.id)
            .where(row.handled_at.is_(None), row.received_at <= func.now() - age)
            .order_by(func.random())  # what cannot be handled must not come first every time
            .limit(limit)
        ).all()

    def handled(self, news_id: UUID) -> None:
        """Have the news out of the inbox."""
        self._session.execute(
            update(PaymentNewsRow).where(PaymentNewsRow.id == news_id).values(handled_at=func.now())
        )

    def lag(self) -> timedelta:
        """Return how long the oldest news in the inbox has been waiting."""
        oldest = func.min(PaymentNewsRow.received_at)
        age = self._session.scalar(
            select(type_coerce(func.now() - oldest, Interval)).where(
                PaymentNewsRow.handled_at.is_(None)
            )
        )
        return age or timedelta()


def payment_order(row: PaymentOrderRow) -> PaymentOrder:
    """Return the order that a row is."""
    return PaymentOrder(
        id=row.order_id,
        booking_id=row.booking_id,
        amount_paise=row.amount_paise,
        currency=row.currency,
        provider=row.provider,
        key_id=row.key_id,
    )

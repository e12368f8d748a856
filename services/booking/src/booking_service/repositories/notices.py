"""What buyers are to be told by mail, and whether they were."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Interval,
    Uuid,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from booking_service.domain.bookings import ACTIVE, BookingStatus
from booking_service.domain.notices import Notice, NoticeKind, NoticeOutcome
from booking_service.domain.refunds import RefundReason
from booking_service.domain.settlement import LedgerKind
from booking_service.models import (
    BookingRow,
    LedgerEntryRow,
    NoticeRow,
    NoticeScanRow,
    RefundRow,
    TicketInventoryRow,
)

CLOCKS_WRONG = timedelta(hours=3)  # of a web process, at most
_SOLD = (BookingStatus.CONFIRMED, BookingStatus.CONFIRMED_UNPAID)


class NoticeRepository:
    """One row for each thing a buyer is told, whatever becomes of it; of people it says nothing."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def write(self, booking_id: UUID, kind: NoticeKind) -> None:
        """Have the buyer of a booking told, once."""
        self._session.execute(
            insert(NoticeRow)
            .values(id=uuid7(), booking_id=booking_id, kind=kind)
            .on_conflict_do_nothing()
        )

    def write_of_refund(self, refund_id: UUID) -> None:
        """Have a buyer told, once, that a refund is done."""
        told = select(
            literal(uuid7()), RefundRow.booking_id, literal(NoticeKind.REFUNDED), RefundRow.id
        ).where(RefundRow.id == refund_id)
        self._session.execute(
            insert(NoticeRow)
            .from_select(["id", "booking_id", "kind", "refund_id"], told)
            .on_conflict_do_nothing()
        )

    def write_of_sales(self, *, look_back: timedelta, limit: int) -> int:
        """Have buyers told of sales that nobody wrote a notice of; return how many.

        A sale writes nothing for it: sales are found by their ids, which are in the order of time
        by the clocks of the web processes. So each call looks back, from where all was found.
        """
        scan, now = self._session.execute(
            select(NoticeScanRow, func.now()).with_for_update(skip_locked=True)
        ).one_or_none() or (None, None)
        if scan is None or now is None:
            return 0  # another worker is at it
        booking = BookingRow
        told = exists().where(
            NoticeRow.booking_id == booking.id, NoticeRow.kind == NoticeKind.BOOKED
        )
        sales = self._session.scalars(
            select(booking.id)
            .where(
                booking.id >= first_id_of(scan.found_until - look_back),
                booking.id < first_id_of(now + CLOCKS_WRONG),
                booking.status.in_(_SOLD),
                booking.created_at >= scan.began_at,
                booking.retain_until.is_(None),
                ~told,
            )
            .order_by(booking.id)
            .limit(limit)
        ).all()
        if sales:
            ids = [uuid7() for _ in sales]
            told_now = select(_each_of(ids), _each_of(sales), literal(NoticeKind.BOOKED))
            self._session.execute(
                insert(NoticeRow)
                .from_select(["id", "booking_id", "kind"], told_now)
                .on_conflict_do_nothing()
            )
        found_until = now if len(sales) < limit else min(now, _moment_of(sales[-1]))
        scan.found_until = max(scan.found_until, found_until)
        return len(sales)

    def next_batch(self, *, most: int, under_way: int) -> UUID | None:
        """Put the oldest notices together for sending; None if there are none, or enough of them.

        Not more than `under_way` are being sent at the same time: more wait here.
        """
        row = NoticeRow
        being_sent = (
            select(row.id).where(row.batch_id.is_not(None), row.done_at.is_(None)).limit(under_way)
        ).subquery()
        if self._session.scalar(select(func.count()).select_from(being_sent)) == under_way:
            return None
        batch_id = uuid4()
        waiting = (
            select(row.id)
            .where(row.batch_id.is_(None))
            .order_by(row.id)
            .limit(most)
            .with_for_update(skip_locked=True)
            .cte("waiting")  # not a plain subquery, which might be made more than once
        )
        batched = self._session.execute(
            update(row)
            .where(row.id.in_(select(waiting.c.id)))
            .values(batch_id=batch_id)
            .returning(row.id)
        )
        return batch_id if batched.all() else None

    def unsent(self, batch_id: UUID) -> Sequence[Notice]:
        """Return the notices of a batch of which nothing has become yet, oldest first."""
        row, booking, show = NoticeRow, BookingRow, TicketInventoryRow
        age = type_coerce(func.now() - row.created_at, Interval)
        found = self._session.execute(
            select(row, age, booking, _paid(), show, _refunded())
            .join(booking, booking.id == row.booking_id)
            .join(show, show.show_id == booking.show_id)
            .where(row.batch_id == batch_id, row.done_at.is_(None))
            .order_by(row.id)
        )
        return [_notice(*each) for each in found]

    def settle(self, notice_id: UUID, outcome: NoticeOutcome) -> None:
        """Note what became of a notice; the first time counts."""
        row = NoticeRow
        self._session.execute(
            update(row)
            .where(row.id == notice_id, row.done_at.is_(None))
            .values(outcome=outcome, done_at=func.clock_timestamp())
        )

    def age_of_oldest(self) -> timedelta:
        """Return since when somebody waits to be told; 0 if nobody does."""
        since = func.now() - func.min(NoticeRow.created_at)
        age = self._session.scalar(
            select(type_coerce(since, Interval)).where(NoticeRow.done_at.is_(None))
        )
        return age or timedelta()


def _notice(
    row: NoticeRow,
    age: timedelta,
    booking: BookingRow,
    paid: bool,
    show: TicketInventoryRow,
    refund_paise: int,
) -> Notice:
    return Notice(
        id=row.id,
        kind=row.kind,
        age=age,
        booking_id=booking.id,
        buyer_id=booking.user_id,
        anonymous=booking.retain_until is not None,
        active=booking.status in ACTIVE,
        paid=paid,
        title=show.title,
        venue=show.venue,
        city=show.city,
        starts_at=show.starts_at,
        quantity=booking.quantity,
        ticket_total_paise=booking.ticket_total_paise,
        convenience_fee_paise=booking.convenience_fee_paise,
        refund_paise=refund_paise,
    )


def _each_of(ids: Sequence[UUID]) -> ColumnElement[UUID]:
    """Return one row for each: as values of a statement a thousand would take longer to write."""
    return func.unnest(literal(ids, ARRAY(Uuid)))


def _paid() -> ColumnElement[bool]:
    """Return whether the price of the booking was captured."""
    entry = LedgerEntryRow
    return exists().where(entry.booking_id == BookingRow.id, entry.kind == LedgerKind.CAPTURE)


def _refunded() -> ColumnElement[int]:
    """Return what a notice tells of: one refund, or all that a cancellation led to."""
    refund = RefundRow
    return (
        select(
            func.coalesce(func.sum(refund.ticket_paise + refund.convenience_fee_paise), 0).cast(
                RefundRow.ticket_paise.type
            )
        )
        .where(
            refund.booking_id == NoticeRow.booking_id,
            or_(
                refund.id == NoticeRow.refund_id,
                and_(NoticeRow.refund_id.is_(None), refund.reason != RefundReason.LATE_CAPTURE),
            ),
        )
        .correlate(NoticeRow)
        .scalar_subquery()
    )


def _moment_of(id_: UUID) -> datetime:
    return datetime.fromtimestamp((id_.int >> 80) / 1000, UTC)


def first_id_of(moment: datetime) -> UUID:
    """Return the least id that is made at a moment or later."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)

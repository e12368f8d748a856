"""Shows that were cancelled, and how far their bookings are."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, union_all, update
from sqlalchemy.orm import Session

from booking_service.domain.bookings import ACTIVE
from booking_service.domain.cancellations import REASON_OF_NOBODY, Cancellation, CancellationOrder
from booking_service.domain.refunds import RefundReason, RefundStatus
from booking_service.models import BookingRow, RefundRow, ShowCancellationRow, TicketInventoryRow


class CancellationRepository:
    """One row per cancelled show; the progress is counted, not stored."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def version(self, show_id: UUID) -> int | None:
        """Return the version with which a show was cancelled, None if it was not."""
        row = ShowCancellationRow
        return self._session.scalar(select(row.version).where(row.show_id == show_id))

    def stop_sale(self, order: CancellationOrder) -> None:
        """Close a show's sale for ever and write its cancellation down; its row is locked."""
        show = TicketInventoryRow
        self._session.execute(
            update(show)
            .where(show.show_id == order.show_id)
            .values(
                on_sale=False,
                cancelled_at=func.clock_timestamp(),
                version=order.version,
                updated_at=func.now(),
            )
        )
        self._session.add(
            ShowCancellationRow(
                show_id=order.show_id,
                version=order.version,
                reason=order.reason,
                actor_id=order.actor_id,
                total=self._count_active(order.show_id),
            )
        )

    def forget_reason(self, show_id: UUID) -> None:
        """Take out why a show was cancelled, if it was: its creator, who goes, wrote it."""
        row = ShowCancellationRow
        self._session.execute(
            update(row).where(row.show_id == show_id).values(reason=REASON_OF_NOBODY)
        )

    def active_bookings(
        self, show_id: UUID, *, after: UUID | None = None, limit: int
    ) -> Sequence[UUID]:
        """Return some bookings of a show that hold or have seats, oldest first.

        Looked up by status, as those of one status are in the order of their ids in one index;
        else Postgres may walk through the older bookings of all shows to the first one.
        """
        row = BookingRow
        query = select(row.id).where(row.show_id == show_id).order_by(row.id).limit(limit)
        if after is not None:
            query = query.where(row.id > after)
        of_any = union_all(*(query.where(row.status == status) for status in ACTIVE))
        return self._session.scalars(of_any.order_by("id").limit(limit)).all()

    def complete(self, show_id: UUID) -> None:
        """Note that no booking of a cancelled show is active any more; the first time counts."""
        row = ShowCancellationRow
        self._session.execute(
            update(row)
            .where(row.show_id == show_id, row.completed_at.is_(None))
            .values(completed_at=func.now())
        )

    def of_show(self, show_id: UUID) -> Cancellation | None:
        """Return how far the cancellation of a show is, None if it was not cancelled."""
        row = self._session.get(ShowCancellationRow, show_id)
        if row is None:
            return None
        refunds = dict(
            self._session.execute(
                select(RefundRow.status, func.count())
                .join(BookingRow, BookingRow.id == RefundRow.booking_id)
                .where(
                    BookingRow.show_id == show_id,
                    RefundRow.reason == RefundReason.SHOW_CANCELLED,
                )
                .group_by(RefundRow.status)
            ).all()
        )
        return Cancellation(
            reason=row.reason,
            total=row.total,
            cancelled=row.total - self._count_active(show_id),
            refunded=refunds.get(RefundStatus.DONE, 0),
            failed=refunds.get(RefundStatus.FAILED, 0),
            started_at=row.started_at,
            completed_at=row.completed_at,
        )

    def _count_active(self, show_id: UUID) -> int:
        active = select(func.count()).where(
            BookingRow.show_id == show_id, BookingRow.status.in_(ACTIVE)
        )
        return self._session.scalar(active) or 0

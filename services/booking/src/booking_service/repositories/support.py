# ruff: noqa: S608 the statement is put together of constants of this module
"""Looking bookings up by what somebody who writes to support knows."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from booking_service.domain.bookings import BookingStatus
from booking_service.domain.support import FoundBooking

_BEFORE = "coalesce(CAST(:before AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff')"

# Each kind of key is looked up in its own index and gives a page of ids at most. Asked for bookings
# with any of these keys, newest first, Postgres walks through all there are.
#
# A show's bookings of one status are in the order of their ids in one index. Of many such stretches
# a page has only what begins newest (`latest`), so each of the others is looked at once.
SEARCH = f"""
WITH named AS MATERIALIZED (
    SELECT show_id FROM booking.ticket_inventory
    WHERE show_id = CAST(:id AS uuid) OR title ILIKE CAST(:title AS text)
), latest AS MATERIALIZED (
    SELECT named.show_id, each.status, b.id
    FROM named CROSS JOIN unnest(enum_range(NULL::booking.booking_status)) AS each (status)
    CROSS JOIN LATERAL (
        SELECT id FROM booking.booking
        WHERE show_id = named.show_id AND status = each.status AND id < {_BEFORE}
        ORDER BY id DESC LIMIT 1
    ) AS b
    ORDER BY b.id DESC LIMIT :limit
), found AS MATERIALIZED (
    SELECT id FROM (
        SELECT id FROM booking.booking WHERE id = CAST(:id AS uuid)
        UNION
        SELECT booking_id FROM booking.payment_order WHERE order_id = :reference
        UNION
        SELECT o.booking_id FROM booking.payment AS p
        JOIN booking.payment_order AS o USING (order_id) WHERE p.payment_id = :reference
        UNION
        SELECT b.id FROM unnest(CAST(:buyer_ids AS uuid[])) AS buyer (id)
        CROSS JOIN LATERAL (
            SELECT id FROM booking.booking WHERE user_id = buyer.id AND id < {_BEFORE}
            ORDER BY id DESC LIMIT :limit
        ) AS b
        UNION
        SELECT b.id FROM latest
        CROSS JOIN LATERAL (
            SELECT id FROM booking.booking
            WHERE show_id = latest.show_id AND status = latest.status AND id < {_BEFORE}
            ORDER BY id DESC LIMIT :limit
        ) AS b
    ) AS of_any_key
    WHERE id < {_BEFORE}
    ORDER BY id DESC LIMIT :limit
)
SELECT b.id, b.show_id, i.title, i.starts_at, b.user_id, b.quantity, b.ticket_total_paise,
       b.convenience_fee_paise, b.created_at, r.refunded_paise, p.payment_ids,
       CASE WHEN b.status = 'PENDING' AND b.expires_at <= now() THEN 'FAILED'
            ELSE b.status::text END AS status
FROM found JOIN booking.booking AS b USING (id)
JOIN booking.ticket_inventory AS i USING (show_id)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(ticket_paise + convenience_fee_paise), 0)::bigint AS refunded_paise
    FROM booking.refund WHERE booking_id = b.id
) AS r
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(payment_id ORDER BY payment_id), '{{}}') AS payment_ids
    FROM booking.payment JOIN booking.payment_order USING (order_id) WHERE booking_id = b.id
) AS p
ORDER BY b.id DESC
"""


class SupportRepository:
    """Anybody's bookings."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def search(
        self, wanted: str, *, buyer_ids: Sequence[UUID], before: UUID | None, limit: int
    ) -> list[FoundBooking]:
        """Return the bookings of these buyers, or that what is wanted names, newest first.

        It names a booking, a show or a payment by its id, or shows by a part of their title.
        """
        named = _uuid(wanted)
        rows = self._session.execute(
            text(SEARCH),
            {
                "id": named,
                "reference": wanted,
                "title": None if named or buyer_ids else f"%{_literally(wanted)}%",
                "buyer_ids": list(buyer_ids),
                "before": before,
                "limit": limit,
            },
        )
        return [
            FoundBooking(
                id=row.id,
                show_id=row.show_id,
                show_title=row.title,
                starts_at=row.starts_at,
                buyer_id=row.user_id,
                quantity=row.quantity,
                ticket_total_paise=row.ticket_total_paise,
                convenience_fee_paise=row.convenience_fee_paise,
                status=BookingStatus(row.status),
                created_at=row.created_at,
                refunded_paise=row.refunded_paise,
                payment_ids=row.payment_ids,
            )
            for row in rows
        ]


def _uuid(text_: str) -> UUID | None:
    try:
        return UUID(text_)
    except ValueError:
        return None


def _literally(part: str) -> str:
    """Return a pattern of LIKE that means this text and nothing else."""
    for special in ("\\", "%", "_"):
        part = part.replace(special, f"\\{special}")
    return part

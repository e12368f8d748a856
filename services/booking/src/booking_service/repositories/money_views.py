# ruff: noqa: S608 the statements are put together of constants of this module
"""What was sold, added up by Postgres: the number of queries never depends on that of bookings."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from booking_service.domain.bookings import BookingStatus
from booking_service.domain.money_views import (
    Attendee,
    CollectedShow,
    Collection,
    Dashboard,
    Group,
    SoldShow,
    Sums,
)

NEXT_SHOWS = 5

# Never `i.*`: a column that the next release adds would change what prepared statements return.
_SHOW = """
i.show_id, i.title, i.starts_at, i.venue, i.on_sale, i.capacity, i.price_paise, i.creator_id
"""

# One index-only scan a show (`ix_booking_show_id_status_id`): a page of a creator reads that
# creator's bookings.
_SUMS = """
CROSS JOIN LATERAL (
    SELECT coalesce(sum(quantity), 0)::bigint AS tickets_sold, count(*) AS bookings,
           coalesce(sum(ticket_total_paise), 0)::bigint AS show_revenue,
           coalesce(sum(convenience_fee_paise), 0)::bigint AS booking_fee,
           coalesce(sum(platform_fee_paise), 0)::bigint AS platform_fee
    FROM booking.booking
    WHERE show_id = i.show_id AND status IN ('CONFIRMED', 'CONFIRMED_UNPAID')
) AS s
"""
_ENDED = "i.starts_at + i.duration_minutes * interval '1 minute' <= now()"

SHOWS_OF_CREATOR = f"""
SELECT {_SHOW}, s.* FROM booking.ticket_inventory AS i {_SUMS}
WHERE i.creator_id = :creator_id
ORDER BY i.starts_at, i.show_id
"""
NEXT_SHOWS_OF_CREATOR = f"""
SELECT {_SHOW}, s.* FROM booking.ticket_inventory AS i {_SUMS}
WHERE i.creator_id = :creator_id AND i.on_sale AND i.starts_at > now()
ORDER BY i.starts_at, i.show_id LIMIT {NEXT_SHOWS}
"""
TOTALS_OF_CREATOR = f"""
SELECT count(*) AS shows,
       count(*) FILTER (WHERE i.on_sale AND i.starts_at > now()) AS upcoming,
       coalesce(sum(s.tickets_sold), 0)::bigint AS tickets_sold,
       coalesce(sum(s.show_revenue), 0)::bigint AS revenue_paise
FROM booking.ticket_inventory AS i {_SUMS}
WHERE i.creator_id = :creator_id
"""
COLLECTIONS = f"""
WITH per_show AS (
    SELECT {_SHOW}, s.*, coalesce(l.payable, 0)::bigint AS payable,
           d.paid_out_paise AS disbursed_paise, d.created_at AS disbursed_at,
           a.user_id AS disbursed_by,
           {_ENDED} AS has_ended
    FROM booking.ticket_inventory AS i {_SUMS}
    CROSS JOIN LATERAL (
        SELECT sum(ticket_paise - platform_fee_paise - paid_out_paise) AS payable
        FROM booking.ledger_entry WHERE show_id = i.show_id
    ) AS l
    LEFT JOIN booking.ledger_entry AS d ON d.show_id = i.show_id AND d.kind = 'DISBURSEMENT'
    LEFT JOIN booking.ledger_person AS a ON a.reference = d.actor
    WHERE CAST(:show_id AS uuid) IS NULL OR i.show_id = CAST(:show_id AS uuid)
)
SELECT p.*, g.name AS in_group,
       (sum(p.tickets_sold) OVER w)::bigint AS all_tickets_sold,
       (sum(p.bookings) OVER w)::bigint AS all_bookings,
       (sum(p.show_revenue) OVER w)::bigint AS all_show_revenue,
       (sum(p.booking_fee) OVER w)::bigint AS all_booking_fee,
       (sum(p.platform_fee) OVER w)::bigint AS all_platform_fee
FROM per_show AS p
CROSS JOIN LATERAL (VALUES
    ('lifetime', true),
    ('active', p.on_sale AND NOT p.has_ended),
    ('pending', p.has_ended AND p.disbursed_at IS NULL
        AND (p.on_sale OR p.tickets_sold > 0 AND p.creator_id IS NOT NULL OR p.payable <> 0)),
    ('booked', p.disbursed_at IS NOT NULL),
    ('unpublished', NOT p.on_sale)
) AS g (name, applies)
WHERE g.applies
WINDOW w AS (PARTITION BY g.name)
ORDER BY p.starts_at DESC, p.show_id
"""
# From the rows of shows, not of bookings. While tickets of a show are sold or held its price is
# fixed, so they were sold at it; but for what was captured so late that the price had changed by
# then. That is among the few that moved on from FAILED, which `ix_booking_move_late` has.
STATISTICS = f"""
SELECT count(*) FILTER (WHERE i.on_sale AND NOT ({_ENDED})) AS active_shows,
       (coalesce(sum(i.sold * i.price_paise), 0) + (
           SELECT coalesce(sum(b.ticket_total_paise - b.quantity * s.price_paise), 0)
           FROM booking.booking_move AS m
           JOIN booking.booking AS b ON b.id = m.booking_id
           JOIN booking.ticket_inventory AS s USING (show_id)
           WHERE m.from_status = 'FAILED' AND b.status IN ('CONFIRMED', 'CONFIRMED_UNPAID')
       ))::bigint AS total_revenue
FROM booking.ticket_inventory AS i
"""
# A show's bookings of one status are in the order of their ids in `ix_booking_show_id_status_id`.
# Asked for two at once, Postgres sorts all of the show, or walks through those of every show.
ATTENDEES = """
SELECT b.id, b.user_id, b.quantity, b.ticket_total_paise, b.status, b.created_at,
    (SELECT count(*) FROM booking.admission WHERE booking_id = b.id) AS admitted
FROM (VALUES ('CONFIRMED'::booking.booking_status), ('CONFIRMED_UNPAID')) AS sold (status)
CROSS JOIN LATERAL (
    SELECT id, user_id, quantity, ticket_total_paise, status, created_at FROM booking.booking
    WHERE show_id = :show_id AND status = sold.status
      AND id > coalesce(CAST(:after AS uuid), '00000000-0000-0000-0000-000000000000')
    ORDER BY id LIMIT :limit
) AS b
ORDER BY b.id LIMIT :limit
"""


class MoneyViewRepository:
    """Reports; nothing here decides anything."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def shows_of(self, creator_id: UUID) -> list[SoldShow]:
        """Return all shows of a creator, by date."""
        return [_show(row) for row in self._all(SHOWS_OF_CREATOR, creator_id=creator_id)]

    def dashboard_of(self, creator_id: UUID) -> Dashboard:
        """Return a creator's totals, and the shows that are next."""
        totals = self._all(TOTALS_OF_CREATOR, creator_id=creator_id)[0]
        upcoming = self._all(NEXT_SHOWS_OF_CREATOR, creator_id=creator_id)
        return Dashboard(next_shows=[_show(row) for row in upcoming], **totals._mapping)

    def collections(self, *, show_id: UUID | None) -> Mapping[Group, Collection]:
        """Return every group with its shows, the latest first; of one show if it is named."""
        collections = {group: Collection() for group in Group}
        for row in self._all(COLLECTIONS, show_id=show_id and str(show_id)):
            collection = collections[Group(row.in_group)]
            collection.sums = _sums(row, "all_")
            collection.shows.append(
                CollectedShow(
                    _show(row),
                    payable_paise=row.payable,
                    disbursed_paise=row.disbursed_paise,
                    disbursed_at=row.disbursed_at,
                    disbursed_by=row.disbursed_by,
                )
            )
        return collections

    def statistics(self) -> tuple[int, int]:
        """Return how many shows are on sale or running, and the paise all tickets were sold for."""
        row = self._all(STATISTICS)[0]
        return row.active_shows, row.total_revenue

    def attendees(self, show_id: UUID, *, after: UUID | None, limit: int | None) -> list[Attendee]:
        """Return the confirmed bookings of a show, oldest first; all of them without a limit."""
        found = self._all(ATTENDEES, show_id=show_id, after=after and str(after), limit=limit)
        return [
            Attendee(
                booking_id=row.id,
                buyer_id=row.user_id,
                quantity=row.quantity,
                ticket_total_paise=row.ticket_total_paise,
                status=BookingStatus(row.status),
                created_at=row.created_at,
                admitted=row.admitted,
            )
            for row in found
        ]

    def _all(self, query: str, **parameters: object) -> Sequence[Row[Any]]:
        return self._session.execute(text(query), parameters).all()


def _show(row: Row[Any]) -> SoldShow:
    return SoldShow(
        id=row.show_id,
        title=row.title,
        starts_at=row.starts_at,
        venue=row.venue,
        is_published=row.on_sale,
        capacity=row.capacity,
        price_paise=row.price_paise,
        creator_id=row.creator_id,
        sums=_sums(row),
    )


def _sums(row: Row[Any], prefix: str = "") -> Sums:
    return Sums(**{name: row._mapping[prefix + name] for name in Sums.__dataclass_fields__})

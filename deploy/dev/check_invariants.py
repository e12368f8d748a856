"""`make check-invariants`: what must be true of the data, as queries that return what violates it.

All of them see one snapshot, read-only, as the role `auditor`. The numbers are those of the list of
invariants that the design states; each issue that adds data adds its queries here.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

MAX_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Invariant:
    """One statement about the data, and the query for the rows that contradict it."""

    name: str
    statement: str
    violations: str


INVARIANTS = (
    Invariant(
        "I1",
        "available + locked + sold = capacity, each at least 0",
        """
        SELECT show_id, available, locked, sold, capacity FROM booking.ticket_inventory
        WHERE available + locked + sold <> capacity OR available < 0 OR locked < 0 OR sold < 0
        """,
    ),
    Invariant(
        "I2",
        "locked and sold are the tickets of the bookings that hold and have seats",
        """
        SELECT i.show_id, i.locked, i.sold, b.locked AS held, b.sold AS booked
        FROM booking.ticket_inventory AS i
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(quantity) FILTER (WHERE status = 'PENDING'), 0) AS locked,
                   coalesce(sum(quantity) FILTER (
                       WHERE status IN ('CONFIRMED', 'CONFIRMED_UNPAID')), 0) AS sold
            FROM booking.booking WHERE booking.show_id = i.show_id
        ) AS b
        WHERE (i.locked, i.sold) <> (b.locked, b.sold)
        """,
    ),
    Invariant(
        "I2",
        "what is sold was sold at the price of its show, or confirmed late",
        """
        SELECT b.id, b.unit_price_paise, i.price_paise FROM booking.booking AS b
        JOIN booking.ticket_inventory AS i USING (show_id)
        WHERE b.status IN ('CONFIRMED', 'CONFIRMED_UNPAID')
          AND b.unit_price_paise <> i.price_paise AND NOT EXISTS (
              SELECT FROM booking.booking_move
              WHERE booking_id = b.id AND from_status = 'FAILED')
        """,
    ),
    Invariant(
        "I3",
        "every booking has an inventory row and 1 to 10 tickets",
        """
        SELECT b.id, b.show_id, b.quantity FROM booking.booking AS b
        LEFT JOIN booking.ticket_inventory AS i USING (show_id)
        WHERE i.show_id IS NULL OR b.quantity NOT BETWEEN 1 AND 10
        """,
    ),
    Invariant(
        "I3",
        "only seats that their booking has were let in, and only of bookings that were confirmed",
        """
        SELECT a.booking_id, a.seat, b.quantity, b.status FROM booking.admission AS a
        JOIN booking.booking AS b ON b.id = a.booking_id
        WHERE a.seat > b.quantity OR b.status IN ('PENDING', 'FAILED')
        """,
    ),
    Invariant(
        "I4",
        "a minute after its last change, booking offers a show as catalog says",
        """
        SELECT s.id, s.version, i.version, s.capacity, i.capacity, s.status, i.on_sale
        FROM catalog.show AS s LEFT JOIN booking.ticket_inventory AS i ON i.show_id = s.id
        WHERE s.updated_at < now() - interval '60 s'
          AND NOT EXISTS (
              SELECT FROM catalog.show_change AS c
              WHERE c.show_id = s.id
                AND (c.status = 'OPEN' OR c.decided_at > now() - interval '60 s'))
          AND (i.version, i.capacity, i.on_sale)
              IS DISTINCT FROM (s.version, s.capacity, s.status = 'PUBLISHED')
        """,
    ),
    Invariant(
        "I5",
        "no hold is more than a minute past its end",
        """
        SELECT id, expires_at FROM booking.booking
        WHERE status = 'PENDING' AND expires_at < now() - interval '60 s'
        """,
    ),
    Invariant(
        "I6",
        "nobody has more active tickets of a show than was ever allowed; they are counted right",
        """
        SELECT user_id, show_id, coalesce(p.active, 0) AS counted, coalesce(b.active, 0) AS active
        FROM booking.buyer_show AS p
        FULL JOIN (
            SELECT user_id, show_id, sum(quantity) AS active FROM booking.booking
            WHERE status IN ('PENDING', 'CONFIRMED', 'CONFIRMED_UNPAID')
            GROUP BY user_id, show_id
        ) AS b USING (user_id, show_id)
        WHERE coalesce(p.active, 0) <> coalesce(b.active, 0) OR b.active > (
            SELECT greatest(10, max((value ->> 'tickets_per_person_and_show')::bigint))
            FROM config.setting_version WHERE key = 'booking-limits' AND effective_from <= now()
        )
        """,
    ),
    Invariant(
        "I7",
        "a key that took effect names a booking of the same person",
        """
        SELECT k.user_id, k.operation, k.key FROM booking.idempotency_key AS k
        LEFT JOIN booking.booking AS b ON b.id = (k.facts ->> 'id')::uuid
        WHERE b.user_id IS DISTINCT FROM k.user_id
        """,
    ),
    Invariant(
        "I8",
        "an order, a payment and a refund of the provider are written down once",
        """
        SELECT 'orders of a booking' AS what, booking_id::text AS id FROM booking.payment_order
        GROUP BY booking_id HAVING count(*) > 1
        UNION ALL
        SELECT 'refund', provider_refund_id FROM booking.refund
        WHERE provider_refund_id IS NOT NULL GROUP BY provider_refund_id HAVING count(*) > 1
        UNION ALL
        SELECT 'not unique', wanted.name FROM (VALUES
            ('pk_payment_order'), ('uq_payment_order_booking_id'), ('pk_payment'),
            ('uq_payment_that_confirmed'), ('uq_refund_provider_refund_id')
        ) AS wanted (name)
        WHERE NOT EXISTS (
            SELECT FROM pg_index WHERE indisunique AND indisvalid
              AND indexrelid = to_regclass('booking.' || wanted.name))
        """,
    ),
    Invariant(
        "I9",
        "captured money confirmed its booking, or goes back in full",
        """
        SELECT p.payment_id, p.verdict, b.id, b.status FROM booking.payment AS p
        JOIN booking.payment_order AS o USING (order_id)
        JOIN booking.booking AS b ON b.id = o.booking_id
        WHERE (p.verdict = 'CONFIRMED' AND b.status NOT IN ('CONFIRMED', 'CANCELLED'))
           OR (p.verdict <> 'CONFIRMED' AND p.amount_paise IS DISTINCT FROM (
                SELECT sum(r.ticket_paise + r.convenience_fee_paise) FROM booking.refund AS r
                WHERE r.payment_id = p.payment_id))
        """,
    ),
    Invariant(
        "I9",
        "no booking of a show that says it is all cancelled is active",
        """
        SELECT b.id, b.show_id, b.status FROM booking.show_cancellation AS c
        JOIN booking.booking AS b USING (show_id)
        WHERE c.completed_at IS NOT NULL
          AND b.status IN ('PENDING', 'CONFIRMED', 'CONFIRMED_UNPAID')
        """,
    ),
    Invariant(
        "I10",
        "nobody is refunded more than the price, and only what was confirmed before",
        """
        SELECT b.id, sum(r.ticket_paise) AS tickets, sum(r.convenience_fee_paise) AS fee
        FROM booking.refund AS r JOIN booking.booking AS b ON b.id = r.booking_id
        WHERE r.reason <> 'LATE_CAPTURE'
        GROUP BY b.id
        HAVING sum(r.ticket_paise) > b.ticket_total_paise
            OR sum(r.convenience_fee_paise) > b.convenience_fee_paise
            OR b.status <> 'CANCELLED'
        """,
    ),
    Invariant(
        "I11",
        "what has a price was confirmed by one capture of its own order, of the right amount",
        """
        SELECT DISTINCT b.id, b.status FROM booking.booking AS b
        LEFT JOIN booking.booking_move AS m ON m.booking_id = b.id
        LEFT JOIN (
            SELECT o.booking_id, o.amount_paise FROM booking.payment_order AS o
            JOIN booking.payment AS p USING (order_id, amount_paise, currency)
            WHERE p.verdict = 'CONFIRMED' AND p.currency = 'INR'
        ) AS paid ON paid.booking_id = b.id
            AND paid.amount_paise = b.ticket_total_paise + b.convenience_fee_paise
        WHERE b.ticket_total_paise > 0 AND paid.booking_id IS NULL
          AND (b.status = 'CONFIRMED' OR m.to_status = 'CONFIRMED')
        """,
    ),
    Invariant(
        "I12",
        "bookings move along the allowed edges, and are where their last move led",
        """
        SELECT m.booking_id, m.from_status, m.to_status, NULL::booking.booking_status
        FROM booking.booking_move AS m
        WHERE (m.from_status, m.to_status) NOT IN (
            ('PENDING', 'CONFIRMED'), ('PENDING', 'FAILED'), ('FAILED', 'CONFIRMED'),
            ('CONFIRMED', 'CANCELLED'), ('CONFIRMED_UNPAID', 'CANCELLED'))
        UNION ALL
        SELECT moves.booking_id, moves.from_status, moves.to_status, moves.next
        FROM (
            SELECT m.booking_id, m.from_status, m.to_status, coalesce(
                lead(m.from_status) OVER (PARTITION BY m.booking_id ORDER BY m.id), b.status
            ) AS next
            FROM booking.booking_move AS m JOIN booking.booking AS b ON b.id = m.booking_id
        ) AS moves
        WHERE moves.next <> moves.to_status
        UNION ALL
        SELECT b.id, NULL, b.status, NULL FROM booking.booking AS b
        LEFT JOIN booking.booking_move AS m ON m.booking_id = b.id
        WHERE b.status IN ('CANCELLED', 'FAILED') AND m.id IS NULL
        """,
    ),
    Invariant(
        "I13",
        "what was agreed cannot be changed: booking moves states only, config adds versions only",
        """
        SELECT 'booking.booking', attname FROM pg_attribute
        WHERE attrelid = 'booking.booking'::regclass AND attnum > 0 AND NOT attisdropped
          AND attname NOT IN ('status', 'expires_at', 'updated_at')
          AND has_column_privilege('booking', attrelid, attnum, 'UPDATE')
        UNION ALL
        SELECT owned.name, what FROM (VALUES
            ('identity', 'identity.alembic_version', 'UPDATE'),
            ('catalog', 'catalog.alembic_version', 'UPDATE'),
            ('booking', 'booking.alembic_version', 'UPDATE'),
            ('config', 'config.alembic_version', 'UPDATE'),
            ('booking', 'booking.booking', 'DELETE'),
            ('booking', 'booking.booking', 'TRUNCATE'),
            ('booking', 'booking.booking_move', 'UPDATE'),
            ('booking', 'booking.booking_move', 'DELETE'),
            ('booking', 'booking.booking_move', 'TRUNCATE'),
            ('booking', 'booking.admission', 'UPDATE'),
            ('booking', 'booking.admission', 'DELETE'),
            ('booking', 'booking.admission', 'TRUNCATE'),
            ('booking', 'booking.ledger_entry', 'UPDATE'),
            ('booking', 'booking.ledger_entry', 'DELETE'),
            ('booking', 'booking.ledger_entry', 'TRUNCATE'),
            ('booking', 'booking.refund', 'DELETE'),
            ('booking', 'booking.refund', 'TRUNCATE'),
            ('booking', 'booking.payment_order', 'DELETE'),
            ('booking', 'booking.payment', 'DELETE'),
            ('booking', 'booking.payment_news', 'DELETE'),
            ('booking', 'booking.account_deletion', 'DELETE'),
            ('booking', 'booking.account_deletion', 'TRUNCATE'),
            ('config', 'config.fee_schedule_version', 'UPDATE'),
            ('config', 'config.fee_schedule_version', 'DELETE'),
            ('config', 'config.fee_schedule_version', 'TRUNCATE'),
            ('config', 'config.setting_version', 'UPDATE'),
            ('config', 'config.setting_version', 'DELETE'),
            ('config', 'config.setting_version', 'TRUNCATE')
        ) AS owned (role, name, what)
        WHERE has_table_privilege(owned.role, owned.name, what)
        """,
    ),
    Invariant(
        "I14",
        "ledgers say what was captured, is owed back and was paid out: what was owed then",
        """
        SELECT 'capture' AS what, b.id, b.ticket_total_paise AS expected, e.ticket_paise AS entered
        FROM (
            SELECT * FROM booking.booking AS paid WHERE ticket_total_paise > 0 AND EXISTS (
                SELECT FROM booking.booking_move
                WHERE booking_id = paid.id AND to_status = 'CONFIRMED')
        ) AS b
        FULL JOIN (SELECT * FROM booking.ledger_entry WHERE kind = 'CAPTURE') AS e
            ON e.booking_id = b.id
        WHERE (b.show_id, b.ticket_total_paise, b.convenience_fee_paise, b.platform_fee_paise)
            IS DISTINCT FROM
            (e.show_id, e.ticket_paise, e.convenience_fee_paise, e.platform_fee_paise)
        UNION ALL
        SELECT 'refund', r.booking_id, r.ticket_paise, -e.ticket_paise
        FROM (
            SELECT r.*, b.show_id, (
                (b.ticket_total_paise - r.ticket_paise) * b.platform_fee_basis_points + 5000
            ) / 10000 AS fee_on_what_remains, b.platform_fee_paise AS fee_before
            FROM booking.refund AS r JOIN booking.booking AS b ON b.id = r.booking_id
            WHERE r.reason <> 'LATE_CAPTURE'
        ) AS r
        FULL JOIN (SELECT * FROM booking.ledger_entry WHERE kind = 'REFUND') AS e
            ON e.booking_id = r.booking_id
        WHERE (r.show_id, r.ticket_paise, r.convenience_fee_paise,
               r.fee_on_what_remains - r.fee_before)
            IS DISTINCT FROM
            (e.show_id, -e.ticket_paise, -e.convenience_fee_paise, e.platform_fee_paise)
        UNION ALL
        SELECT 'disbursement', d.show_id, coalesce(sum(e.ticket_paise - e.platform_fee_paise), 0),
               d.paid_out_paise
        FROM booking.ledger_entry AS d
        LEFT JOIN booking.ledger_entry AS e ON e.show_id = d.show_id AND e.id < d.id
        WHERE d.kind = 'DISBURSEMENT' AND NOT EXISTS (
            SELECT FROM booking.ledger_entry AS older
            WHERE older.show_id = d.show_id AND older.kind = 'BROUGHT_FORWARD')
        GROUP BY d.id
        HAVING coalesce(sum(e.ticket_paise - e.platform_fee_paise), 0) <> d.paid_out_paise
            OR count(*) FILTER (WHERE e.kind = 'DISBURSEMENT') > 0
        """,
    ),
    Invariant(
        "I18",
        "no show is on sale whose creator may not sell",
        """
        SELECT i.show_id, i.creator_id, s.version FROM booking.ticket_inventory AS i
        JOIN booking.creator_standing AS s USING (creator_id)
        WHERE i.creator_allowed AND NOT s.allowed OR s.allowed AND NOT i.creator_allowed
          AND NOT EXISTS (SELECT FROM booking.account_deletion WHERE state = 'FENCED')
        """,
    ),
    Invariant(
        "I18",
        "a minute after a decision about a creator, booking and catalog go by it",
        """
        SELECT 'identity has not told what was decided' AS what, u.id
        FROM identity."user" AS u LEFT JOIN identity.standing AS s ON s.user_id = u.id
        WHERE coalesce(s.allowed, TRUE) <> (u.role = 'ADMIN' OR coalesce((
            SELECT a.status <> 'REVOKED' FROM identity.approval AS a
            WHERE a.user_id = u.id AND a.status IN ('APPROVED', 'REVOKED')
            ORDER BY a.number DESC LIMIT 1
        ), TRUE))
        UNION ALL
        SELECT 'booking does not know it', s.user_id FROM identity.standing AS s
        LEFT JOIN booking.creator_standing AS known ON known.creator_id = s.user_id
        WHERE s.updated_at < now() - interval '1 minute'
          AND (known.version, known.allowed) IS DISTINCT FROM (s.version, s.allowed)
        UNION ALL
        SELECT 'catalog does not know it', s.user_id FROM identity.standing AS s
        LEFT JOIN catalog.creator_standing AS known ON known.creator_id = s.user_id
        WHERE s.updated_at < now() - interval '1 minute'
          AND (known.version, known.allowed) IS DISTINCT FROM (s.version, s.allowed)
        UNION ALL
        SELECT 'identity knows nothing against it', known.creator_id
        FROM (TABLE booking.creator_standing UNION TABLE catalog.creator_standing) AS known
        LEFT JOIN identity.standing AS s ON s.user_id = known.creator_id
        WHERE NOT known.allowed AND s.id IS NULL
        """,
    ),
    Invariant(
        "I19",
        "no id of another service's row dangles",
        """
        SELECT 'creator of a show' AS what, s.creator_id AS id FROM catalog.show AS s
        LEFT JOIN identity."user" AS u ON u.id = s.creator_id WHERE u.id IS NULL
        UNION ALL
        SELECT 'owner of an upload', m.owner_id FROM catalog.media AS m
        LEFT JOIN identity."user" AS u ON u.id = m.owner_id WHERE u.id IS NULL
        UNION ALL
        SELECT 'buyer of a booking', b.user_id FROM booking.booking AS b
        LEFT JOIN identity."user" AS u ON u.id = b.user_id
        WHERE u.id IS NULL AND b.retain_until IS NULL
        UNION ALL
        SELECT 'author of a setting', a.user_id FROM config.author AS a
        LEFT JOIN identity."user" AS u ON u.id = a.user_id WHERE u.id IS NULL
        UNION ALL
        SELECT 'show of an offer', i.show_id FROM booking.ticket_inventory AS i
        LEFT JOIN catalog.show AS s ON s.id = i.show_id
        WHERE s.id IS NULL AND (i.creator_id IS NOT NULL OR i.creator_allowed)
        UNION ALL
        SELECT 'creator of an entry', c.created_by FROM catalog.comedian AS c
        LEFT JOIN identity."user" AS u ON u.id = c.created_by
        WHERE c.created_by IS NOT NULL AND u.id IS NULL
        UNION ALL
        SELECT 'owner of an entry', c.user_id FROM catalog.comedian AS c
        LEFT JOIN identity."user" AS u ON u.id = c.user_id
        WHERE c.user_id IS NOT NULL AND u.id IS NULL
        UNION ALL
        SELECT 'actor of a change', c.actor_id FROM catalog.show_change AS c
        LEFT JOIN identity."user" AS u ON u.id = c.actor_id
        WHERE c.actor_id IS NOT NULL AND u.id IS NULL
        """,
    ),
    # What deletions of accounts leave in identity, and that all services agree about them.
    Invariant(
        "I16",
        "who is deleted is named nowhere in identity, and the work on it has left no trace",
        """
        SELECT 'named by a deletion' AS what, d.saga_id::text FROM identity.account_deletion AS d
        LEFT JOIN identity."user" AS u ON u.id = d.person_id
        WHERE d.person_id IS NOT NULL AND u.id IS NULL AND d.state IN ('REFUSED', 'COMPLETED')
        UNION ALL
        SELECT 'traces of the work', d.saga_id::text FROM identity.account_deletion AS d
        JOIN identity_workflows.workflow_status AS w
            ON w.workflow_uuid LIKE 'deletion:' || d.saga_id || ':%'
        WHERE d.state = 'COMPLETED'
        """,
    ),
    Invariant(
        "I17",
        "accounts are closed, and people fenced, only while a deletion is under way",
        """
        SELECT 'closed account' AS what, u.closed_by AS saga_id FROM identity."user" AS u
        LEFT JOIN identity.account_deletion AS d ON d.saga_id = u.closed_by
        WHERE u.closed_by IS NOT NULL
          AND (d.saga_id IS NULL OR d.state IN ('REFUSED', 'PURGED', 'COMPLETED'))
        UNION ALL
        SELECT 'fenced in ' || fenced.service, fenced.saga_id FROM (
            SELECT 'booking' AS service, saga_id FROM booking.account_deletion
            WHERE state = 'FENCED'
            UNION ALL
            SELECT 'catalog', saga_id FROM catalog.account_deletion WHERE state = 'FENCED'
        ) AS fenced
        LEFT JOIN identity.account_deletion AS d USING (saga_id)
        WHERE d.saga_id IS NULL OR d.state IN ('REFUSED', 'PURGED', 'COMPLETED')
        """,
    ),
    Invariant(
        "I21",
        "every deletion moves on, and what is completed is completed everywhere",
        """
        SELECT 'stands still' AS what, saga_id, state::text FROM identity.account_deletion
        WHERE state NOT IN ('REFUSED', 'COMPLETED') AND moved_at < now() - interval '60 s'
        UNION ALL
        SELECT 'not gone from ' || holder.service, d.saga_id, coalesce(holder.state, 'unknown')
        FROM identity.account_deletion AS d
        CROSS JOIN LATERAL (VALUES
            ('booking', (SELECT state::text FROM booking.account_deletion AS x
                         WHERE x.person_hash = d.person_hash AND x.state <> 'LIFTED')),
            ('catalog', (SELECT state::text FROM catalog.account_deletion AS x
                         WHERE x.person_hash = d.person_hash AND x.state <> 'LIFTED')),
            ('config', (SELECT state::text FROM config.account_deletion AS x
                        WHERE x.person_hash = d.person_hash AND x.state <> 'LIFTED'))
        ) AS holder (service, state)
        WHERE d.state = 'COMPLETED' AND holder.state IS DISTINCT FROM 'PURGED'
        """,
    ),
    # What deletions of accounts leave in booking.
    Invariant(
        "I16",
        "booking names nobody whom identity does not know, and holds no seats for a reference",
        """
        SELECT named.what, named.id FROM (
            SELECT 'buyer' AS what, user_id AS id FROM booking.booking WHERE retain_until IS NULL
            UNION ALL
            SELECT 'buyer of a show', user_id FROM booking.buyer_show AS p WHERE NOT EXISTS (
                SELECT FROM booking.booking AS b
                WHERE b.user_id = p.user_id AND b.retain_until IS NOT NULL)
            UNION ALL
            SELECT 'owner of a key', user_id FROM booking.idempotency_key
            UNION ALL
            SELECT 'creator of an offer', creator_id FROM booking.ticket_inventory
            UNION ALL
            SELECT 'creator with a standing', creator_id FROM booking.creator_standing
            UNION ALL
            SELECT 'creator with terms', creator_id FROM booking.creator_terms
            UNION ALL
            SELECT 'who cancelled a show', actor_id FROM booking.show_cancellation
            UNION ALL
            SELECT 'who paid creators out', user_id FROM booking.ledger_person
        ) AS named
        LEFT JOIN identity."user" AS u ON u.id = named.id
        WHERE named.id IS NOT NULL AND u.id IS NULL
        UNION ALL
        SELECT 'seats held for nobody', id FROM booking.booking
        WHERE status = 'PENDING' AND retain_until IS NOT NULL
        """,
    ),
    Invariant(
        "I18",
        "no show is on sale whose creator is gone",
        """
        SELECT i.show_id, i.creator_id FROM booking.ticket_inventory AS i
        LEFT JOIN identity."user" AS u ON u.id = i.creator_id
        WHERE i.on_sale AND i.creator_allowed AND i.creator_id IS NOT NULL AND u.id IS NULL
        """,
    ),
    Invariant(
        "I20",
        "the ledger of a show adds up to what its bookings paid and got back, anonymous or not",
        """
        SELECT show_id, l.tickets, l.fees, b.tickets, b.fees FROM (
            SELECT show_id, sum(ticket_paise) AS tickets, sum(convenience_fee_paise) AS fees
            FROM booking.ledger_entry WHERE kind IN ('CAPTURE', 'REFUND') GROUP BY show_id
        ) AS l
        FULL JOIN (
            SELECT paid.show_id,
                   sum(paid.ticket_total_paise - coalesce(r.ticket_paise, 0)) AS tickets,
                   sum(paid.convenience_fee_paise - coalesce(r.convenience_fee_paise, 0)) AS fees
            FROM booking.booking AS paid
            LEFT JOIN booking.refund AS r
                ON r.booking_id = paid.id AND r.reason <> 'LATE_CAPTURE'
            WHERE paid.ticket_total_paise > 0 AND EXISTS (
                SELECT FROM booking.booking_move
                WHERE booking_id = paid.id AND to_status = 'CONFIRMED')
            GROUP BY paid.show_id
        ) AS b USING (show_id)
        WHERE (l.tickets, l.fees) IS DISTINCT FROM (b.tickets, b.fees)
        """,
    ),
    # What deletions of accounts leave in catalog and config.
    Invariant(
        "I16",
        "in catalog and config a tombstone says what went, and fences name whom they hide only",
        """
        SELECT 'catalog' AS service, saga_id::text FROM catalog.account_deletion
        WHERE state = 'PURGED' AND counts IS NULL
        UNION ALL
        SELECT 'config', saga_id::text FROM config.account_deletion
        WHERE state = 'PURGED' AND counts IS NULL
        UNION ALL
        SELECT 'fences', hidden.count || ' for ' || fenced.count
        FROM (SELECT count(*) FROM catalog.fenced_person) AS hidden,
             (SELECT count(*) FROM catalog.account_deletion WHERE state = 'FENCED') AS fenced
        WHERE hidden.count <> fenced.count
        """,
    ),
    Invariant(
        "I16",
        "no show and no entry of a comedian shows an upload that is not kept",
        """
        SELECT 'show' AS what, s.id, s.poster_image_url FROM catalog.show AS s
        LEFT JOIN catalog.media AS m
            ON s.poster_image_url = '/api/v1/media/' || m.key AND m.condemned_at IS NULL
        WHERE s.poster_image_url LIKE '/api/v1/media/%' AND m.key IS NULL
        UNION ALL
        SELECT 'comedian', c.id, c.profile_image_url FROM catalog.comedian AS c
        LEFT JOIN catalog.media AS m
            ON c.profile_image_url = '/api/v1/media/' || m.key AND m.condemned_at IS NULL
        WHERE c.profile_image_url LIKE '/api/v1/media/%' AND m.key IS NULL
        """,
    ),
)


def violations(database: psycopg.Connection) -> Iterator[tuple[Invariant, list[Any]]]:
    """Yield every invariant with the rows that contradict it."""
    for invariant in INVARIANTS:
        yield invariant, database.execute(invariant.violations).fetchall()


def main() -> int:
    """Print one line for each invariant; status 1 if any is violated."""
    violated = 0
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        for invariant, rows in violations(connection):
            violated += bool(rows)
            print(f"{invariant.name:<4} {len(rows):>6} rows  {invariant.statement}")
            for row in rows[:MAX_SHOWN]:
                print("       ", *row)
    print("all invariants hold" if not violated else f"{violated} invariants are violated")
    return 1 if violated else 0


if __name__ == "__main__":
    sys.exit(main())

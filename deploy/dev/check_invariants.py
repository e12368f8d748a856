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
    # With tickets out no sale is closed but by a cancellation, or when the creator goes. Before
    # that, what catalog has done with a show says whether it was ever on sale; of shows that
    # catalog has deleted nothing does.
    Invariant(
        "I3",
        "whatever has tickets held or sold is on sale, was cancelled, or has lost its creator",
        """
        SELECT show_id, locked, sold, version FROM booking.ticket_inventory
        WHERE locked + sold > 0 AND NOT on_sale AND cancelled_at IS NULL
          AND creator_id IS NOT NULL
        """,
    ),
    Invariant(
        "I3",
        "no draft that nobody ever asked to publish was booked",
        """
        SELECT s.id, s.version FROM catalog.show AS s
        WHERE s.status = 'DRAFT'
          AND EXISTS (SELECT FROM booking.booking AS b WHERE b.show_id = s.id)
          AND NOT EXISTS (
              SELECT FROM catalog.show_change AS c
              WHERE c.show_id = s.id AND c.kind = 'PUBLISH' AND c.status <> 'REFUSED')
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
    # Each booking says by which rules it was sold (0: those booking starts with, which are what
    # config starts with). What was captured late was judged once more, by rules it does not name.
    Invariant(
        "I6",
        "nobody has more active tickets of a show than was allowed; they are counted right",
        """
        WITH ever AS (
            SELECT coalesce(max((v.value ->> 'tickets_per_person_and_show')::bigint), 10) AS most
            FROM config.setting_version AS v
            WHERE v.key = 'booking-limits' AND v.effective_from <= now() AND NOT EXISTS (
                SELECT FROM config.setting_version AS later
                WHERE later.key = v.key AND later.version > v.version
                  AND later.effective_from <= v.effective_from)
        ), allowed AS (
            SELECT version, (document ->> 'ticketsPerPersonAndShow')::bigint AS most
            FROM booking.platform_settings
            UNION ALL
            SELECT 0, 10
        )
        SELECT user_id, show_id, coalesce(p.active, 0) AS counted, coalesce(b.active, 0) AS active,
               b.most
        FROM booking.buyer_show AS p
        FULL JOIN (
            SELECT b.user_id, b.show_id, sum(b.quantity) AS active, max(
                CASE WHEN late.booking_id IS NULL THEN coalesce(a.most, ever.most)
                     ELSE greatest(a.most, ever.most) END
            ) AS most
            FROM booking.booking AS b CROSS JOIN ever
            LEFT JOIN allowed AS a ON a.version = b.settings_version
            LEFT JOIN booking.booking_move AS late
                ON late.booking_id = b.id AND late.from_status = 'FAILED'
            WHERE b.status IN ('PENDING', 'CONFIRMED', 'CONFIRMED_UNPAID')
            GROUP BY b.user_id, b.show_id
        ) AS b USING (user_id, show_id)
        WHERE coalesce(p.active, 0) <> coalesce(b.active, 0) OR b.active > b.most
        """,
    ),
    # The last one made was judged with all that are held now, by the rules that it names. What had
    # ended by then has ended by the clock, but perhaps not by `now()`, which stands still.
    Invariant(
        "I6",
        "nobody holds more unpaid tickets than was allowed of three shows",
        """
        SELECT b.user_id, sum(b.quantity) AS held, 3 * max(a.most) AS most
        FROM booking.booking AS b LEFT JOIN (
            SELECT version, (document ->> 'ticketsPerPersonAndShow')::bigint AS most
            FROM booking.platform_settings
            UNION ALL
            SELECT 0, 10
        ) AS a ON a.version = b.settings_version
        WHERE b.status = 'PENDING' AND b.expires_at > clock_timestamp()
        GROUP BY b.user_id
        HAVING sum(b.quantity) > 3 * max(a.most) AND bool_and(a.most IS NOT NULL)
        """,
    ),
    Invariant(
        "I7",
        "a key that took effect names a booking of the same person, and no other purchase's",
        """
        SELECT k.user_id::text, k.operation, k.key FROM booking.idempotency_key AS k
        LEFT JOIN booking.booking AS b ON b.id = (k.facts ->> 'id')::uuid
        WHERE b.user_id IS DISTINCT FROM k.user_id
          AND k.operation <> 'POST /api/v1/admin/collections'
        UNION ALL
        SELECT facts ->> 'id', 'is booked with', count(*) || ' keys' FROM booking.idempotency_key
        WHERE operation = 'POST /api/v1/bookings' GROUP BY facts ->> 'id' HAVING count(*) > 1
        UNION ALL
        SELECT 'keys', 'are not', 'unique' WHERE NOT EXISTS (
            SELECT FROM pg_index WHERE indisunique AND indisvalid
              AND indexrelid = to_regclass('booking.pk_idempotency_key'))
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
    # A cancellation was decided by the clock within the minutes after its transaction began; so
    # both ends of those minutes are tried. What has changed of the show since is not known: then
    # whatever could have been due is right. Nothing due leaves no row.
    Invariant(
        "I9",
        "who gave up what was paid for is owed what the terms gave then: no other sum, no less",
        """
        WITH given_up AS (
            SELECT b.id, b.created_at, b.ticket_total_paise AS tickets,
                   b.convenience_fee_paise AS fee, r.reason::text,
                   coalesce(r.ticket_paise, 0) AS tickets_back,
                   coalesce(r.convenience_fee_paise, 0) AS fee_back,
                   coalesce(nullif(b.refund_policy, 'null'), '{"refunds_convenience_fee": false,
                       "tiers": [{"hours_before_start": 24, "basis_points": 10000}]}') AS policy,
                   m.moved_at AS earliest, m.moved_at + interval '5 minutes' AS latest,
                   i.cancelled_at, i.moved_at,
                   CASE WHEN i.updated_at < m.moved_at - interval '5 minutes' THEN i.starts_at END
                       AS starts_at
            FROM booking.booking_move AS m
            JOIN booking.booking AS b ON b.id = m.booking_id
            JOIN booking.ticket_inventory AS i USING (show_id)
            LEFT JOIN booking.refund AS r ON r.booking_id = b.id AND r.reason <> 'LATE_CAPTURE'
            WHERE (m.from_status, m.to_status) = ('CONFIRMED', 'CANCELLED')
              AND b.ticket_total_paise + b.convenience_fee_paise > 0
        ), by_buyer AS (
            SELECT *, created_at <= moved_at AND moved_at <= earliest
                      AND latest < moved_at + interval '7 days' AS surely_moved
            FROM given_up
            WHERE coalesce(cancelled_at > earliest, TRUE) AND coalesce(starts_at > earliest, TRUE)
        ), tier AS (
            SELECT p.policy, t.share, CASE WHEN (p.policy -> 'refunds_convenience_fee')::boolean
                       THEN t.share ELSE 0 END AS share_of_fee,
                   t.hours * interval '1 hour' AS until,
                   lag(t.hours) OVER (PARTITION BY p.policy ORDER BY t.number)
                       * interval '1 hour' AS since
            FROM (SELECT DISTINCT policy FROM given_up) AS p
            CROSS JOIN LATERAL (
                SELECT (tier ->> 'basis_points')::bigint AS share,
                       (tier ->> 'hours_before_start')::bigint AS hours, number
                FROM jsonb_array_elements(p.policy -> 'tiers') WITH ORDINALITY AS _ (tier, number)
                UNION ALL
                SELECT 0, 0, 1000  -- after the last one nothing
            ) AS t
        ), due AS (
            SELECT id, 'SHOW_CANCELLED' AS reason, tickets, fee FROM given_up
            WHERE cancelled_at <= latest
            UNION ALL
            SELECT id, 'SHOW_MOVED', tickets, fee FROM by_buyer
            WHERE moved_at > earliest
               OR created_at <= moved_at AND earliest < moved_at + interval '7 days'
            UNION ALL
            SELECT id, 'BUYER_CANCELLED',
                   CASE WHEN of_tickets + of_fee BETWEEN 1 AND 99 THEN 100 - of_fee
                        ELSE of_tickets END, of_fee
            FROM by_buyer JOIN tier USING (policy)
            CROSS JOIN LATERAL (
                SELECT (tickets * share + 5000) / 10000 AS of_tickets,
                       (fee * share_of_fee + 5000) / 10000 AS of_fee
            ) AS share_of
            WHERE surely_moved IS NOT TRUE AND until IS DISTINCT FROM since
              AND coalesce(earliest <= starts_at - until, TRUE)
              AND coalesce(latest > starts_at - since, TRUE)
        )
        SELECT g.id, g.earliest, g.reason, g.tickets_back, g.fee_back, g.tickets, g.fee
        FROM given_up AS g
        LEFT JOIN due AS d ON (d.id, d.tickets, d.fee) = (g.id, g.tickets_back, g.fee_back)
            AND (d.reason = g.reason OR g.reason IS NULL)
        WHERE d.id IS NULL
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
        LEFT JOIN booking.booking_move AS m ON m.booking_id = b.id
            AND (m.from_status, m.to_status) = ('CONFIRMED', 'CANCELLED')
        WHERE r.reason <> 'LATE_CAPTURE'
        GROUP BY b.id, m.id
        HAVING sum(r.ticket_paise) > b.ticket_total_paise
            OR sum(r.convenience_fee_paise) > b.convenience_fee_paise
            OR b.status <> 'CANCELLED' OR m.id IS NULL
        """,
    ),
    Invariant(
        "I10",
        "of a payment no more goes back than it brought; sent is what the provider has named",
        """
        SELECT r.booking_id, p.payment_id, p.amount_paise,
               sum(r.ticket_paise + r.convenience_fee_paise) AS back
        FROM booking.refund AS r
        LEFT JOIN (booking.payment_order AS o JOIN booking.payment AS p USING (order_id))
            ON o.booking_id = r.booking_id AND p.verdict IS NOT NULL
           AND (p.payment_id = r.payment_id OR r.payment_id IS NULL AND p.verdict = 'CONFIRMED')
        GROUP BY r.booking_id, p.payment_id
        HAVING p.payment_id IS NULL
            OR sum(r.ticket_paise + r.convenience_fee_paise) > p.amount_paise
            OR bool_or((r.reason = 'LATE_CAPTURE') = (p.verdict = 'CONFIRMED'))
        UNION ALL
        SELECT booking_id, status::text, ticket_paise + convenience_fee_paise, NULL
        FROM booking.refund
        WHERE status IN ('SENT', 'DONE') AND provider_refund_id IS NULL
           OR status = 'FAILED' AND failure IS NULL
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
            SELECT m.booking_id, m.from_status, m.to_status,
                   coalesce(lead(m.from_status) OVER way, b.status) AS next,
                   lag(m.id) OVER way IS NULL AS is_first
            FROM booking.booking_move AS m JOIN booking.booking AS b ON b.id = m.booking_id
            WINDOW way AS (PARTITION BY m.booking_id ORDER BY m.id)
        ) AS moves
        WHERE moves.next <> moves.to_status OR moves.is_first AND moves.from_status = 'FAILED'
        UNION ALL
        SELECT b.id, NULL, b.status, NULL FROM booking.booking AS b
        LEFT JOIN booking.booking_move AS m ON m.booking_id = b.id
        WHERE b.status IN ('CANCELLED', 'FAILED') AND m.id IS NULL
        """,
    ),
    # What a purge takes away it takes elsewhere (`audit_person`, `ledger_person`, `author`), or by
    # a function of the owner that does nothing else.
    Invariant(
        "I13",
        "what was agreed, done or decided stays: services add it, and change only how far it is",
        """
        WITH kept (role, name, changes) AS (VALUES
            ('identity', 'identity.audit_entry', ''),
            ('identity', 'identity.approval', ''),
            ('identity', 'identity.erasure_key', ''),
            ('booking', 'booking.booking', 'status expires_at updated_at'),
            ('booking', 'booking.booking_move', ''),
            ('booking', 'booking.admission', ''),
            ('booking', 'booking.ledger_entry', ''),
            ('booking', 'booking.refund',
             'status attempt provider_refund_id failure updated_at'),
            ('booking', 'booking.payment_order', 'check_at'),
            ('booking', 'booking.payment', 'status verdict updated_at'),
            ('booking', 'booking.payment_news', 'handled_at'),
            ('booking', 'booking.notice', 'batch_id outcome done_at'),
            ('booking', 'booking.notice_scan', 'found_until'),
            ('booking', 'booking.ticket_key', 'encrypted_private_key withdrawn_at'),
            ('booking', 'booking.account_deletion', 'state counts ended_at'),
            ('config', 'config.fee_schedule_version', ''),
            ('config', 'config.setting_version', '')
        )
        SELECT kept.role, kept.name, 'UPDATE of ' || a.attname AS may FROM kept
        JOIN pg_attribute AS a ON a.attrelid = kept.name::regclass AND a.attnum > 0
        WHERE NOT a.attisdropped AND a.attname <> ALL (string_to_array(kept.changes, ' '))
          AND has_column_privilege(kept.role, a.attrelid, a.attnum, 'UPDATE')
        UNION ALL
        SELECT kept.role, kept.name, what FROM kept, unnest(ARRAY['DELETE', 'TRUNCATE']) AS what
        WHERE has_table_privilege(kept.role, kept.name, what)
        UNION ALL
        SELECT service, service || '.alembic_version', what
        FROM unnest(ARRAY['identity', 'catalog', 'booking', 'config']) AS service,
             unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS what
        WHERE has_table_privilege(service, service || '.alembic_version', what)
        UNION ALL
        SELECT 'config', 'config.author', what FROM unnest(ARRAY['UPDATE', 'TRUNCATE']) AS what
        WHERE has_table_privilege('config', 'config.author', what)
        UNION ALL
        SELECT service, service || '_owner', 'act as' FROM
            unnest(ARRAY['identity', 'catalog', 'booking', 'config']) AS service
        WHERE pg_has_role(service, service || '_owner', 'MEMBER')
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
    # What was answered is known for a day, and only of requests with a key. Of what else was
    # acknowledged a query sees no more than the gap it would leave.
    Invariant(
        "I15",
        "what was answered to a request with a key is stored: tickets, amounts, refunds",
        """
        SELECT k.operation, k.key, k.facts ->> 'id' AS booking, k.facts ->> 'status' AS answered,
               b.status AS stored
        FROM booking.idempotency_key AS k
        LEFT JOIN booking.booking AS b ON b.id = (k.facts ->> 'id')::uuid
        LEFT JOIN (
            SELECT booking_id, jsonb_agg(ticket_paise + convenience_fee_paise) AS amounts
            FROM booking.refund GROUP BY booking_id
        ) AS r ON r.booking_id = b.id
        LEFT JOIN booking.booking_move AS left_it
            ON (left_it.booking_id, left_it.from_status::text) = (b.id, k.facts ->> 'status')
        WHERE k.operation <> 'POST /api/v1/admin/collections' AND (
            (b.show_id::text, b.quantity, b.ticket_total_paise, b.convenience_fee_paise,
             b.platform_fee_paise)
            IS DISTINCT FROM
            (k.facts #>> '{show,id}', (k.facts ->> 'quantity')::bigint,
             (k.facts ->> 'ticket_total_paise')::bigint,
             (k.facts ->> 'convenience_fee_paise')::bigint,
             (k.facts ->> 'platform_fee_paise')::bigint)
           OR NOT coalesce(r.amounts, '[]')
               @> jsonb_path_query_array(k.facts, '$.refunds[*].amount_paise')
           OR b.status::text <> k.facts ->> 'status' AND left_it.id IS NULL)
        """,
    ),
    Invariant(
        "I15",
        "what was answered to a payout with a key is in the ledger, by whoever asked for it",
        """
        SELECT k.key, k.facts ->> 'show_id' AS show, k.facts ->> 'amount_paise' AS answered,
               e.paid_out_paise AS stored
        FROM booking.idempotency_key AS k
        LEFT JOIN booking.ledger_entry AS e
            ON e.show_id = (k.facts ->> 'show_id')::uuid AND e.kind = 'DISBURSEMENT'
        LEFT JOIN booking.ledger_person AS p ON p.reference = e.actor
        WHERE k.operation = 'POST /api/v1/admin/collections'
          AND (p.user_id, e.paid_out_paise)
              IS DISTINCT FROM (k.user_id, (k.facts ->> 'amount_paise')::bigint)
        """,
    ),
    Invariant(
        "I15",
        "nothing that hangs on a booking or an order has lost it",
        """
        SELECT 'move' AS what, m.booking_id::text AS lost FROM booking.booking_move AS m
        LEFT JOIN booking.booking AS b ON b.id = m.booking_id WHERE b.id IS NULL
        UNION ALL
        SELECT 'admission', a.booking_id::text FROM booking.admission AS a
        LEFT JOIN booking.booking AS b ON b.id = a.booking_id WHERE b.id IS NULL
        UNION ALL
        SELECT 'refund', r.booking_id::text FROM booking.refund AS r
        LEFT JOIN booking.booking AS b ON b.id = r.booking_id WHERE b.id IS NULL
        UNION ALL
        SELECT 'ledger', e.booking_id::text FROM booking.ledger_entry AS e
        LEFT JOIN booking.booking AS b ON b.id = e.booking_id
        WHERE e.booking_id IS NOT NULL AND b.id IS NULL
        UNION ALL
        SELECT 'notice', n.booking_id::text FROM booking.notice AS n
        LEFT JOIN booking.booking AS b ON b.id = n.booking_id WHERE b.id IS NULL
        UNION ALL
        SELECT 'notice of a refund', n.refund_id::text FROM booking.notice AS n
        LEFT JOIN booking.refund AS r ON (r.id, r.booking_id) = (n.refund_id, n.booking_id)
        WHERE n.refund_id IS NOT NULL AND r.id IS NULL
        UNION ALL
        SELECT 'order', o.booking_id::text FROM booking.payment_order AS o
        LEFT JOIN booking.booking AS b ON b.id = o.booking_id
            AND b.ticket_total_paise + b.convenience_fee_paise = o.amount_paise
        WHERE b.id IS NULL
        UNION ALL
        SELECT 'payment', p.order_id FROM booking.payment AS p
        LEFT JOIN booking.payment_order AS o USING (order_id) WHERE o.order_id IS NULL
        UNION ALL
        SELECT 'answer', k.facts #>> '{payment,id}' FROM booking.idempotency_key AS k
        LEFT JOIN booking.payment_order AS o
            ON (o.order_id, o.booking_id::text) = (k.facts #>> '{payment,id}', k.facts ->> 'id')
           AND o.amount_paise = (k.facts #>> '{payment,amount_paise}')::bigint
        WHERE k.facts #>> '{payment,id}' IS NOT NULL AND o.order_id IS NULL
        """,
    ),
    Invariant(
        "I15",
        "versions and decisions are numbered without a gap; those that bookings rest on are there",
        """
        SELECT 'setting ' || key AS what, max(version) AS newest, count(*) AS stored
        FROM config.setting_version GROUP BY key HAVING max(version) <> count(*)
        UNION ALL
        SELECT 'fees', max(version), count(*)
        FROM config.fee_schedule_version HAVING max(version) <> count(*)
        UNION ALL
        SELECT 'decisions about ' || user_id, max(number), count(*)
        FROM identity.approval GROUP BY user_id HAVING max(number) <> count(*)
        UNION ALL
        SELECT 'fees of bookings', b.version, b.bookings FROM (
            SELECT fee_schedule_version AS version, count(*) AS bookings
            FROM booking.booking GROUP BY fee_schedule_version
        ) AS b
        LEFT JOIN booking.fee_schedule AS known USING (version)
        LEFT JOIN config.fee_schedule_version AS made USING (version)
        WHERE known.version IS NULL
          OR (known.platform_fee_basis_points, known.slabs)
            IS DISTINCT FROM (made.platform_fee_basis_points, made.slabs)
        UNION ALL
        SELECT 'rules of bookings', b.version, b.bookings FROM (
            SELECT settings_version AS version, count(*) AS bookings
            FROM booking.booking WHERE settings_version > 0 GROUP BY settings_version
        ) AS b
        LEFT JOIN booking.platform_settings AS known USING (version) WHERE known.version IS NULL
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
        WHERE s.id IS NULL AND i.cancelled_at IS NULL
          AND (i.creator_id IS NOT NULL OR i.creator_allowed)
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

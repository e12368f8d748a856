"""Records of people who are gone end when the law lets them

Revision ID: 20261127_0630
Revises: 20261127_0620
"""

# squawk-ignore ban-drop-constraint: a wider one takes its place
# squawk-ignore constraint-missing-not-valid: before the first release, on empty tables
# squawk-ignore require-concurrent-index-creation: before the first release, on empty tables

import sqlalchemy as sa
from alembic import op

revision = "20261127_0630"
down_revision = "20261127_0620"
branch_labels = None
depends_on = None

SCHEMA = "booking"

SAYS_WHAT_ITS_KIND_SAYS = (
    "(kind IN ('DISBURSEMENT', 'BROUGHT_FORWARD')) = (booking_id IS NULL)"
    " AND (kind = 'DISBURSEMENT') = (actor IS NOT NULL)"
    " AND (kind = 'DISBURSEMENT' OR paid_out_paise = 0)"
)
SAID_BEFORE = (
    "(kind = 'DISBURSEMENT') = (booking_id IS NULL)"
    " AND (kind = 'DISBURSEMENT') = (actor IS NOT NULL)"
    " AND (kind = 'DISBURSEMENT' OR paid_out_paise = 0)"
)
HAS_THE_SIGN_OF_ITS_KIND = (
    "CASE WHEN kind IN ('CAPTURE', 'BROUGHT_FORWARD') THEN"
    " least(ticket_paise, convenience_fee_paise, platform_fee_paise) >= 0"
    " WHEN kind = 'REFUND' THEN"
    " greatest(ticket_paise, convenience_fee_paise, platform_fee_paise) <= 0"
    " ELSE ticket_paise = 0 AND convenience_fee_paise = 0 AND platform_fee_paise = 0"
    " AND paid_out_paise >= 0 END"
)
HAD_THE_SIGN = (
    "CASE kind WHEN 'CAPTURE' THEN"
    " least(ticket_paise, convenience_fee_paise, platform_fee_paise) >= 0"
    " WHEN 'REFUND' THEN"
    " greatest(ticket_paise, convenience_fee_paise, platform_fee_paise) <= 0"
    " ELSE ticket_paise = 0 AND convenience_fee_paise = 0 AND platform_fee_paise = 0"
    " AND paid_out_paise >= 0 END"
)

# With the rights of the owner, as the service removes no record. It removes none before its time:
# a `moment` that has not come counts as now. What moves money of a show locks the show's row first.
DISCARD_OLD = """
CREATE FUNCTION booking.discard_old_v1(of_show uuid, moment timestamptz, most bigint)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = booking, pg_temp
AS $$
DECLARE
    old uuid[];
    their_orders text[];
    their_references uuid[];
    seats bigint;
BEGIN
    PERFORM 1 FROM ticket_inventory AS i WHERE i.show_id = of_show FOR UPDATE;
    moment := least(moment, clock_timestamp());

    SELECT array_agg(b.id), array_agg(DISTINCT b.user_id),
           coalesce(sum(b.quantity) FILTER (
               WHERE b.status IN ('CONFIRMED', 'CONFIRMED_UNPAID')), 0)
    INTO old, their_references, seats
    FROM (
        SELECT b.* FROM booking AS b JOIN ticket_inventory AS i USING (show_id)
        WHERE b.show_id = of_show AND b.retain_until <= moment AND b.status <> 'PENDING'
          AND i.starts_at + i.duration_minutes * interval '1 minute' <= moment
          AND NOT EXISTS (
              SELECT FROM refund AS r WHERE r.booking_id = b.id AND r.status <> 'DONE')
          AND NOT EXISTS (
              SELECT FROM payment_order AS o LEFT JOIN payment_news AS n USING (order_id)
              WHERE o.booking_id = b.id
                AND (o.check_at IS NOT NULL OR n.id IS NOT NULL AND n.handled_at IS NULL))
        ORDER BY b.id LIMIT most
    ) AS b;
    IF old IS NULL THEN
        RETURN 0;
    END IF;

    -- What they leave in the ledger is added up, so that the balance of the show stays.
    IF EXISTS (SELECT FROM ledger_entry AS e WHERE e.booking_id = ANY (old)) THEN
        WITH entries AS (
            DELETE FROM ledger_entry AS e
            WHERE e.booking_id = ANY (old)
               OR e.show_id = of_show AND e.kind = 'BROUGHT_FORWARD'
            RETURNING e.ticket_paise, e.convenience_fee_paise, e.platform_fee_paise
        )
        INSERT INTO ledger_entry (
            show_id, kind, ticket_paise, convenience_fee_paise, platform_fee_paise
        )
        SELECT of_show, 'BROUGHT_FORWARD', sum(ticket_paise), sum(convenience_fee_paise),
               sum(platform_fee_paise)
        FROM entries;
    END IF;

    UPDATE ticket_inventory AS i SET available = i.available + seats, sold = i.sold - seats
    WHERE i.show_id = of_show;
    UPDATE buyer_show AS p SET active = p.active - b.tickets
    FROM (
        SELECT user_id, sum(quantity) AS tickets FROM booking
        WHERE id = ANY (old) AND status IN ('CONFIRMED', 'CONFIRMED_UNPAID')
        GROUP BY user_id
    ) AS b
    WHERE p.show_id = of_show AND p.user_id = b.user_id;

    SELECT array_agg(o.order_id) INTO their_orders
    FROM payment_order AS o WHERE o.booking_id = ANY (old);
    DELETE FROM payment_news AS n WHERE n.order_id = ANY (their_orders);
    DELETE FROM payment AS p WHERE p.order_id = ANY (their_orders);
    DELETE FROM payment_order AS o WHERE o.order_id = ANY (their_orders);
    DELETE FROM refund AS r WHERE r.booking_id = ANY (old);
    DELETE FROM admission AS a WHERE a.booking_id = ANY (old);
    DELETE FROM booking_move AS m WHERE m.booking_id = ANY (old);
    DELETE FROM booking AS b WHERE b.id = ANY (old);
    DELETE FROM buyer_show AS p
    WHERE p.show_id = of_show AND p.user_id = ANY (their_references) AND NOT EXISTS (
        SELECT FROM booking AS b WHERE b.user_id = p.user_id AND b.show_id = p.show_id);
    RETURN cardinality(old);
END
$$
"""


def upgrade() -> None:
    _replace_checks(SAYS_WHAT_ITS_KIND_SAYS, HAS_THE_SIGN_OF_ITS_KIND)
    op.create_index(
        "uq_ledger_entry_brought_forward",
        "ledger_entry",
        ["show_id"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("kind = 'BROUGHT_FORWARD'"),
    )
    op.create_index("ix_payment_news_order_id", "payment_news", ["order_id"], schema=SCHEMA)
    op.execute(DISCARD_OLD)
    signature = "booking.discard_old_v1(uuid, timestamptz, bigint)"
    op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO booking")


# What was added up cannot be taken apart again.
KEEP = """
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM booking.ledger_entry WHERE kind = 'BROUGHT_FORWARD') THEN
        RAISE EXCEPTION 'old records are gone: restore a backup instead of undoing this';
    END IF;
END $$
"""


def downgrade() -> None:
    op.execute(KEEP)
    op.execute("DROP FUNCTION booking.discard_old_v1(uuid, timestamptz, bigint)")
    op.drop_index("ix_payment_news_order_id", "payment_news", schema=SCHEMA)
    op.drop_index("uq_ledger_entry_brought_forward", "ledger_entry", schema=SCHEMA)
    _replace_checks(SAID_BEFORE, HAD_THE_SIGN)


def _replace_checks(says: str, sign: str) -> None:
    for name, condition in (("says_what_its_kind_says", says), ("has_the_sign_of_its_kind", sign)):
        constraint = op.f(f"ck_ledger_entry_{name}")
        op.drop_constraint(constraint, "ledger_entry", schema=SCHEMA)
        op.create_check_constraint(constraint, "ledger_entry", condition, schema=SCHEMA)

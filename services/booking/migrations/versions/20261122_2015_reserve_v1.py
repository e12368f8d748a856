"""Reservation in one call

Revision ID: 20261122_2015
Revises: 20261122_2010
"""

from alembic import op

revision = "20261122_2015"
down_revision = "20261122_2010"
branch_labels = None
depends_on = None

# Separate statements in a VOLATILE function: each sees what others committed while it waited for a
# lock. All callers lock in the same order (keys, then shows, each sorted), so none can deadlock.
RESERVE = """
CREATE FUNCTION booking.reserve_v1(requests jsonb, person_limit bigint)
RETURNS TABLE (n bigint, outcome text, facts jsonb)
LANGUAGE plpgsql VOLATILE
SET search_path = booking, pg_temp
AS $$
DECLARE
    request record;
    show ticket_inventory%ROWTYPE;
    known idempotency_key%ROWTYPE;
    lock_id bigint;
BEGIN
    -- 1. Keys: a duplicate waits here until the first one's transaction has ended.
    FOR lock_id IN
        SELECT DISTINCT hashtextextended(concat_ws(':', r.user_id, r.operation, r.key), 0) AS id
        FROM jsonb_to_recordset(requests) AS r(user_id uuid, operation text, key text)
        WHERE r.key IS NOT NULL
        ORDER BY id
    LOOP
        IF NOT pg_try_advisory_xact_lock(lock_id) THEN
            BEGIN
                PERFORM pg_advisory_xact_lock(lock_id);
            EXCEPTION WHEN lock_not_available THEN
                RAISE EXCEPTION 'a request with this key is in flight' USING ERRCODE = 'BK001';
            END;
        END IF;
    END LOOP;

    -- 2. Shows: from here on nobody else moves their counters or their buyers' rows.
    PERFORM 1 FROM ticket_inventory AS i
    WHERE i.show_id IN (
        SELECT r.show_id FROM jsonb_to_recordset(requests) AS r(show_id uuid)
    )
    ORDER BY i.show_id FOR UPDATE;

    -- 3. One after the other, in the order they came; what does not fit is refused.
    FOR request IN
        SELECT * FROM jsonb_to_recordset(requests) AS r(
            n bigint, booking_id uuid, show_id uuid, user_id uuid, quantity bigint,
            operation text, key text, fingerprint text, status booking_status,
            unit_price_paise bigint, own_platform_fee_basis_points bigint,
            expected_total_paise bigint, grand_total_paise bigint, ticket_total_paise bigint,
            convenience_fee_basis_points bigint, convenience_fee_paise bigint,
            platform_fee_basis_points bigint, platform_fee_paise bigint,
            fee_schedule_version bigint
        ) ORDER BY r.n
    LOOP
        n := request.n;
        facts := NULL;
        SELECT * INTO known FROM idempotency_key AS k
        WHERE k.user_id = request.user_id AND k.operation = request.operation
          AND k.key = request.key;
        IF FOUND THEN
            outcome := CASE WHEN known.fingerprint = request.fingerprint
                            THEN 'RESERVED' ELSE 'KEY_REUSED' END;
            facts := known.facts;
            RETURN NEXT;
            CONTINUE;
        END IF;

        SELECT * INTO show FROM ticket_inventory AS i WHERE i.show_id = request.show_id;
        outcome := CASE
            WHEN NOT FOUND THEN 'UNKNOWN_SHOW'
            WHEN NOT show.on_sale THEN 'NOT_ON_SALE'
            WHEN show.starts_at <= clock_timestamp() THEN 'STARTED'
            WHEN show.price_paise <> request.unit_price_paise
              OR show.platform_fee_basis_points
                 IS DISTINCT FROM request.own_platform_fee_basis_points THEN 'TERMS_MOVED'
            WHEN show.available < request.quantity THEN 'SOLD_OUT'
            WHEN request.expected_total_paise <> request.grand_total_paise THEN 'PRICE_CHANGED'
        END;
        IF outcome IS NOT NULL THEN
            RETURN NEXT;
            CONTINUE;
        END IF;

        INSERT INTO buyer_show AS b (user_id, show_id, active)
        SELECT request.user_id, request.show_id, request.quantity
        WHERE request.quantity <= person_limit
        ON CONFLICT (user_id, show_id) DO UPDATE SET active = b.active + excluded.active
        WHERE b.active + excluded.active <= person_limit;
        IF NOT FOUND THEN
            outcome := 'LIMIT_REACHED';
            RETURN NEXT;
            CONTINUE;
        END IF;

        UPDATE ticket_inventory AS i
        SET available = i.available - request.quantity, sold = i.sold + request.quantity
        WHERE i.show_id = request.show_id;

        INSERT INTO booking AS b (
            id, show_id, user_id, quantity, unit_price_paise, ticket_total_paise,
            convenience_fee_basis_points, convenience_fee_paise, platform_fee_basis_points,
            platform_fee_paise, fee_schedule_version, status
        ) VALUES (
            request.booking_id, request.show_id, request.user_id, request.quantity,
            request.unit_price_paise, request.ticket_total_paise,
            request.convenience_fee_basis_points, request.convenience_fee_paise,
            request.platform_fee_basis_points, request.platform_fee_paise,
            request.fee_schedule_version, request.status
        )
        RETURNING jsonb_build_object(
            'id', b.id, 'quantity', b.quantity, 'ticket_total_paise', b.ticket_total_paise,
            'convenience_fee_paise', b.convenience_fee_paise,
            'platform_fee_paise', b.platform_fee_paise, 'status', b.status,
            'created_at', b.created_at, 'expires_at', b.expires_at,
            'show', jsonb_build_object(
                'id', show.show_id, 'title', show.title, 'starts_at', show.starts_at,
                'venue', show.venue, 'price_paise', show.price_paise,
                'poster_image_url', show.poster_image_url
            )
        ) INTO facts;

        IF request.key IS NOT NULL THEN
            INSERT INTO idempotency_key (user_id, operation, key, fingerprint, facts)
            VALUES (request.user_id, request.operation, request.key, request.fingerprint, facts);
        END IF;
        outcome := 'RESERVED';
        RETURN NEXT;
    END LOOP;
END
$$
"""


def upgrade() -> None:
    op.execute(RESERVE)


def downgrade() -> None:
    op.execute("DROP FUNCTION booking.reserve_v1(jsonb, bigint)")

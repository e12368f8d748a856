"""Reservation in one call, second edition: standing, holds, terms of the creator

Revision ID: 20261122_2250
Revises: 20261122_2245

`reserve_v1` stays for processes of the release before; it goes with the next one.
"""

from alembic import op

revision = "20261122_2250"
down_revision = "20261122_2245"
branch_labels = None
depends_on = None

# Callers may hold the show's row already. Whoever moves bookings of a show locks that row first.
RELEASE_EXPIRED = """
CREATE FUNCTION booking.release_expired_v1(of_show uuid)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = booking, pg_temp
AS $$
DECLARE
    moment timestamptz;
    released bigint;
    freed bigint;
BEGIN
    PERFORM 1 FROM ticket_inventory WHERE show_id = of_show FOR UPDATE;
    moment := clock_timestamp();
    WITH ended AS (
        UPDATE booking SET status = 'FAILED', updated_at = now()
        WHERE show_id = of_show AND status = 'PENDING' AND expires_at <= moment
        RETURNING user_id, quantity
    ), people AS (
        UPDATE buyer_show AS p SET active = p.active - e.tickets
        FROM (
            SELECT user_id, sum(quantity)::bigint AS tickets FROM ended GROUP BY user_id
        ) AS e
        WHERE p.show_id = of_show AND p.user_id = e.user_id
    )
    SELECT count(*), coalesce(sum(quantity), 0)::bigint INTO released, freed FROM ended;
    IF freed > 0 THEN
        UPDATE ticket_inventory SET available = available + freed, locked = locked - freed
        WHERE show_id = of_show;
    END IF;
    RETURN released;
END
$$
"""

# Separate statements in a VOLATILE function: each sees what others committed while it waited for a
# lock. All callers lock in the same order (keys, then shows, each sorted), so none can deadlock.
RESERVE = """
CREATE FUNCTION booking.reserve_v2(requests jsonb)
RETURNS TABLE (n bigint, outcome text, facts jsonb)
LANGUAGE plpgsql VOLATILE
SET search_path = booking, pg_temp
AS $$
DECLARE
    request record;
    show ticket_inventory%ROWTYPE;
    known idempotency_key%ROWTYPE;
    lock_id bigint;
    tidied uuid[] := '{}';
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

    -- 2. Shows: from here on nobody else moves their counters, bookings or buyers' rows, and what
    -- may stop their sale (offer, standing of the creator, cancellation) waits or is seen below.
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
            hold_seconds bigint, too_large boolean, person_limit bigint,
            unit_price_paise bigint, own_platform_fee_basis_points bigint,
            expected_total_paise bigint, grand_total_paise bigint, ticket_total_paise bigint,
            convenience_fee_basis_points bigint, convenience_fee_paise bigint,
            platform_fee_basis_points bigint, platform_fee_paise bigint,
            fee_schedule_version bigint, settings_version bigint, refund_policy jsonb
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

        -- Twice at most: seats and people may be taken up by holds that have ended.
        LOOP
            SELECT * INTO show FROM ticket_inventory AS i WHERE i.show_id = request.show_id;
            outcome := CASE
                WHEN NOT FOUND THEN 'UNKNOWN_SHOW'
                WHEN NOT show.on_sale OR NOT show.creator_allowed
                  OR show.cancelled_at IS NOT NULL THEN 'NOT_ON_SALE'
                WHEN show.starts_at <= clock_timestamp() THEN 'STARTED'
                WHEN show.price_paise <> request.unit_price_paise
                  OR coalesce(show.platform_fee_basis_points, show.creator_fee_basis_points)
                     IS DISTINCT FROM request.own_platform_fee_basis_points THEN 'TERMS_MOVED'
                WHEN show.available < request.quantity THEN 'SOLD_OUT'
                WHEN request.expected_total_paise <> request.grand_total_paise
                    THEN 'PRICE_CHANGED'
                WHEN request.too_large THEN 'TOO_LARGE'
            END;
            IF outcome IS NULL THEN
                INSERT INTO buyer_show AS b (user_id, show_id, active)
                SELECT request.user_id, request.show_id, request.quantity
                WHERE request.quantity <= request.person_limit
                ON CONFLICT (user_id, show_id) DO UPDATE SET active = b.active + excluded.active
                WHERE b.active + excluded.active <= request.person_limit;
                IF NOT FOUND THEN
                    outcome := 'LIMIT_REACHED';
                END IF;
            END IF;
            EXIT WHEN outcome IS NULL OR outcome NOT IN ('SOLD_OUT', 'LIMIT_REACHED')
                OR show.locked = 0 OR request.show_id = ANY (tidied);
            tidied := tidied || request.show_id;
            EXIT WHEN release_expired_v1(request.show_id) = 0;
        END LOOP;
        IF outcome IS NOT NULL THEN
            RETURN NEXT;
            CONTINUE;
        END IF;

        UPDATE ticket_inventory AS i
        SET available = i.available - request.quantity,
            locked = i.locked
                + CASE WHEN request.status = 'PENDING' THEN request.quantity ELSE 0 END,
            sold = i.sold + CASE WHEN request.status = 'PENDING' THEN 0 ELSE request.quantity END
        WHERE i.show_id = request.show_id;

        INSERT INTO booking AS b (
            id, show_id, user_id, quantity, unit_price_paise, ticket_total_paise,
            convenience_fee_basis_points, convenience_fee_paise, platform_fee_basis_points,
            platform_fee_paise, fee_schedule_version, settings_version, refund_policy, status,
            expires_at
        ) VALUES (
            request.booking_id, request.show_id, request.user_id, request.quantity,
            request.unit_price_paise, request.ticket_total_paise,
            request.convenience_fee_basis_points, request.convenience_fee_paise,
            request.platform_fee_basis_points, request.platform_fee_paise,
            request.fee_schedule_version, request.settings_version, request.refund_policy,
            request.status,
            CASE WHEN request.status = 'PENDING'
                 THEN clock_timestamp() + make_interval(secs => request.hold_seconds) END
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
    op.execute(RELEASE_EXPIRED)
    op.execute(RESERVE)


def downgrade() -> None:
    op.execute("DROP FUNCTION booking.reserve_v2(jsonb)")
    op.execute("DROP FUNCTION booking.release_expired_v1(uuid)")

"""Reservation in one call, third edition: many at once, and none for whose account is closed

Revision ID: 20261127_0610
Revises: 20261127_0605

`reserve_v2` stays for processes of the release before; `reserve_v1` goes.
"""

# squawk-ignore ban-drop-function: no release calls it; the one before this is the first

import runpy
from pathlib import Path

from alembic import op

revision = "20261127_0610"
down_revision = "20261127_0605"
branch_labels = None
depends_on = None

# One after the other, in the order they came; what does not fit is refused. But for accounts that
# are closed, `reserve_v2` says the same. Locks are the caller's, who has read afresh who is closed.
IN_TURN = """
CREATE FUNCTION booking.reserve_in_turn_v1(requests jsonb, closed text[])
RETURNS TABLE (n bigint, outcome text, facts jsonb)
LANGUAGE plpgsql VOLATILE
SET search_path = booking, pg_temp
AS $$
DECLARE
    request record;
    show ticket_inventory%ROWTYPE;
    known idempotency_key%ROWTYPE;
    tidied uuid[] := '{}';
BEGIN
    FOR request IN
        SELECT * FROM jsonb_to_recordset(requests) AS r(
            n bigint, booking_id uuid, show_id uuid, user_id uuid, person_hash text,
            quantity bigint, operation text, key text, fingerprint text, status booking_status,
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
        IF request.person_hash = ANY (closed) THEN
            outcome := 'ACCOUNT_CLOSED';
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

# Separate statements in a VOLATILE function: each sees what others committed while it waited for a
# lock. All callers lock in the same order (keys, people, shows, each sorted): none can deadlock.
#
# The last statement judges each request as if it were alone. As long as there are seats for all and
# no buyer comes to a limit, that is how they end, and they are written together, which takes half
# the time. Otherwise it does nothing, and they are served in turn; so are a few, which are not
# worth its preparation.
RESERVE = """
CREATE FUNCTION booking.reserve_v3(requests jsonb)
RETURNS TABLE (n bigint, outcome text, facts jsonb)
LANGUAGE plpgsql VOLATILE
SET search_path = booking, pg_temp
SET enable_seqscan = off -- plans are made while tables are small, and kept
AS $$
#variable_conflict use_column
DECLARE
    a_few CONSTANT bigint := 3;
    asked bigint;
    with_key bigint;
    keys bigint[];
    people bytea[];
    shows uuid[];
    closed text[];
BEGIN
    SELECT count(*), count(r.key),
           array_agg(DISTINCT r.lock_id ORDER BY r.lock_id) FILTER (WHERE r.key IS NOT NULL),
           array_agg(DISTINCT decode(r.person_hash, 'hex') ORDER BY decode(r.person_hash, 'hex')),
           array_agg(r.show_id)
    INTO asked, with_key, keys, people, shows
    FROM (
        SELECT key, person_hash, show_id,
               hashtextextended(concat_ws(':', user_id, operation, key), 0) AS lock_id
        FROM jsonb_to_recordset(requests)
            AS r(user_id uuid, operation text, key text, person_hash text, show_id uuid)
    ) AS r;

    -- 1. Keys: a duplicate waits here until the first one's transaction has ended.
    BEGIN
        PERFORM pg_advisory_xact_lock(lock_id) FROM unnest(keys) AS lock_id;
    EXCEPTION WHEN lock_not_available THEN
        RAISE EXCEPTION 'a request with this key is in flight' USING ERRCODE = 'BK001';
    END;

    -- 2. People: who closes an account waits for its sales under way; later ones wait and see it.
    PERFORM pg_advisory_xact_lock_shared(
        hashtextextended('person:' || encode(person_hash, 'hex'), 0)
    ) FROM unnest(people) AS person_hash;

    -- 3. Shows: from here on nobody else moves their counters, bookings or buyers' rows, and what
    -- may stop their sale (offer, standing of the creator, cancellation) waits or is seen below.
    PERFORM 1 FROM ticket_inventory AS i WHERE i.show_id = ANY (shows)
    ORDER BY i.show_id FOR UPDATE;

    SELECT array_agg(encode(d.person_hash, 'hex')) INTO closed FROM account_deletion AS d
    WHERE d.person_hash = ANY (people) AND d.state <> 'LIFTED';

    IF asked <= a_few OR cardinality(keys) < with_key THEN
        RETURN QUERY SELECT * FROM reserve_in_turn_v1(requests, closed);
        RETURN;
    END IF;

    RETURN QUERY
    WITH show AS MATERIALIZED (
        SELECT i.*, coalesce(i.platform_fee_basis_points, i.creator_fee_basis_points) AS own_fee,
               i.locked > 0 AND EXISTS (
                   SELECT FROM booking AS b
                   WHERE b.show_id = i.show_id AND b.status = 'PENDING'
                     AND b.expires_at <= clock_timestamp()
               ) AS holds_ended
        FROM ticket_inventory AS i WHERE i.show_id = ANY (shows)
    ), request AS (
        SELECT r.*, known.*,
            coalesce((
                SELECT b.active FROM buyer_show AS b
                WHERE b.user_id = r.user_id AND b.show_id = r.show_id
            ), 0) AS has
        FROM jsonb_to_recordset(requests) AS r(
            n bigint, booking_id uuid, show_id uuid, user_id uuid, person_hash text,
            quantity bigint, operation text, key text, fingerprint text, status booking_status,
            hold_seconds bigint, too_large boolean, person_limit bigint,
            unit_price_paise bigint, own_platform_fee_basis_points bigint,
            expected_total_paise bigint, grand_total_paise bigint, ticket_total_paise bigint,
            convenience_fee_basis_points bigint, convenience_fee_paise bigint,
            platform_fee_basis_points bigint, platform_fee_paise bigint,
            fee_schedule_version bigint, settings_version bigint, refund_policy jsonb
        ) LEFT JOIN LATERAL (
            SELECT k.fingerprint AS known_fingerprint, k.facts AS known_facts
            FROM idempotency_key AS k
            WHERE k.user_id = r.user_id AND k.operation = r.operation AND k.key = r.key
            LIMIT 1
        ) AS known ON true
    ), judged AS MATERIALIZED (
        SELECT r.*, s.available, s.holds_ended, CASE
            WHEN r.known_fingerprint = r.fingerprint THEN 'REPEATED'
            WHEN r.known_fingerprint IS NOT NULL THEN 'KEY_REUSED'
            WHEN r.person_hash = ANY (closed) THEN 'ACCOUNT_CLOSED'
            WHEN s.show_id IS NULL THEN 'UNKNOWN_SHOW'
            WHEN NOT s.on_sale OR NOT s.creator_allowed
              OR s.cancelled_at IS NOT NULL THEN 'NOT_ON_SALE'
            WHEN s.starts_at <= clock_timestamp() THEN 'STARTED'
            WHEN s.price_paise <> r.unit_price_paise
              OR s.own_fee IS DISTINCT FROM r.own_platform_fee_basis_points THEN 'TERMS_MOVED'
            WHEN s.available < r.quantity THEN 'SOLD_OUT'
            WHEN r.expected_total_paise <> r.grand_total_paise THEN 'PRICE_CHANGED'
            WHEN r.too_large THEN 'TOO_LARGE'
            WHEN r.has + r.quantity > r.person_limit THEN 'LIMIT_REACHED'
            ELSE 'RESERVED'
        END AS verdict
        FROM request AS r LEFT JOIN show AS s USING (show_id)
    ), all_fit AS MATERIALIZED (
        SELECT coalesce(bool_and(fits), true) AS fits FROM (
            SELECT coalesce(sum(wanted) <= min(available), true) AND bool_and(fits) AS fits FROM (
                SELECT show_id, available,
                    sum(quantity) FILTER (WHERE verdict <> 'SOLD_OUT') AS wanted,
                    coalesce(
                        min(has) + sum(quantity) FILTER (WHERE verdict = 'RESERVED')
                            <= min(person_limit) FILTER (WHERE verdict = 'RESERVED'),
                        true
                    ) AND NOT bool_or(
                        holds_ended AND verdict IN ('SOLD_OUT', 'LIMIT_REACHED')
                    ) AS fits
                FROM judged
                WHERE verdict IN (
                    'SOLD_OUT', 'PRICE_CHANGED', 'TOO_LARGE', 'LIMIT_REACHED', 'RESERVED'
                )
                GROUP BY show_id, available, user_id
            ) AS of_buyer GROUP BY show_id
        ) AS of_show
    ), priced AS (
        SELECT j.*,
            CASE WHEN status = 'PENDING'
                 THEN clock_timestamp() + make_interval(secs => hold_seconds) END AS expires_at
        FROM judged AS j WHERE verdict = 'RESERVED' AND (SELECT fits FROM all_fit)
    ), sale AS MATERIALIZED (
        SELECT p.*, jsonb_build_object(
            'id', p.booking_id, 'quantity', p.quantity,
            'ticket_total_paise', p.ticket_total_paise,
            'convenience_fee_paise', p.convenience_fee_paise,
            'platform_fee_paise', p.platform_fee_paise, 'status', p.status,
            'created_at', now(), 'expires_at', p.expires_at,
            'show', jsonb_build_object(
                'id', s.show_id, 'title', s.title, 'starts_at', s.starts_at, 'venue', s.venue,
                'price_paise', s.price_paise, 'poster_image_url', s.poster_image_url
            )
        ) AS made
        FROM priced AS p JOIN show AS s USING (show_id)
    ), seats AS (
        UPDATE ticket_inventory AS i
        SET available = i.available - s.taken, locked = i.locked + s.held,
            sold = i.sold + s.taken - s.held
        FROM (
            SELECT show_id, sum(quantity)::bigint AS taken,
                   coalesce(sum(quantity) FILTER (WHERE status = 'PENDING'), 0)::bigint AS held
            FROM sale GROUP BY show_id
        ) AS s
        WHERE i.show_id = s.show_id AND i.show_id = ANY (shows)
    ), buyers AS (
        INSERT INTO buyer_show AS b (user_id, show_id, active)
        SELECT user_id, show_id, sum(quantity)::bigint FROM sale GROUP BY user_id, show_id
        ON CONFLICT (user_id, show_id) DO UPDATE SET active = b.active + excluded.active
    ), bookings AS (
        INSERT INTO booking (
            id, show_id, user_id, quantity, unit_price_paise, ticket_total_paise,
            convenience_fee_basis_points, convenience_fee_paise, platform_fee_basis_points,
            platform_fee_paise, fee_schedule_version, settings_version, refund_policy, status,
            expires_at
        )
        SELECT booking_id, show_id, user_id, quantity, unit_price_paise, ticket_total_paise,
            convenience_fee_basis_points, convenience_fee_paise, platform_fee_basis_points,
            platform_fee_paise, fee_schedule_version, settings_version, refund_policy, status,
            expires_at
        FROM sale
    ), kept AS (
        INSERT INTO idempotency_key (user_id, operation, key, fingerprint, facts)
        SELECT user_id, operation, key, fingerprint, made FROM sale WHERE key IS NOT NULL
    )
    SELECT s.n, 'RESERVED', s.made FROM sale AS s
    UNION ALL
    SELECT j.n, CASE j.verdict WHEN 'REPEATED' THEN 'RESERVED' ELSE j.verdict END, j.known_facts
    FROM judged AS j WHERE j.verdict <> 'RESERVED' AND (SELECT fits FROM all_fit);

    IF NOT FOUND THEN
        RETURN QUERY SELECT * FROM reserve_in_turn_v1(requests, closed);
    END IF;
END
$$
"""


def upgrade() -> None:
    op.execute(IN_TURN)
    op.execute(RESERVE)
    op.execute("DROP FUNCTION booking.reserve_v1(jsonb, bigint)")


def downgrade() -> None:
    op.execute(_as_it_was_left())
    op.execute("DROP FUNCTION booking.reserve_v3(jsonb)")
    op.execute("DROP FUNCTION booking.reserve_in_turn_v1(jsonb, text[])")


def _as_it_was_left() -> str:
    """Return the definition of `reserve_v1` with what a later migration replaced in it."""
    made, replaced = (
        runpy.run_path(str(Path(__file__).with_name(f"{name}.py")))
        for name in ("20261122_2015_reserve_v1", "20261122_2340_standing_in_reserve_v1")
    )
    definition: str = made["RESERVE"]
    return definition.replace(replaced["BEFORE"], replaced["AFTER"])

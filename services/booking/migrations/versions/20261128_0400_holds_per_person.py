"""Reservation in one call, fourth edition: nobody holds unpaid seats of every show

Revision ID: 20261128_0400
Revises: 20261128_0330

The functions of before stay for processes that were started before: `reserve_v3`,
`reserve_unhindered_v1`, and `reserve_v2`, which is the last release's.
"""

import runpy
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "20261128_0400"
down_revision = "20261128_0330"
branch_labels = None
depends_on = None

SCHEMA = "booking"

# Of a person nobody else sells to, as whoever reserves has made sure (`reserve_v2` has not). Holds
# that have ended need not be tidied for that.
HELD_BY = """
CREATE FUNCTION booking.held_by_v1(person uuid)
RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = booking, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT coalesce(sum(b.quantity), 0) FROM booking AS b
        WHERE b.user_id = person AND b.status = 'PENDING' AND b.expires_at > clock_timestamp()
    );
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
CREATE FUNCTION booking.reserve_v4(requests jsonb)
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
    holders bytea[];
    shows uuid[];
    closed text[];
BEGIN
    SELECT count(*), count(r.key),
           array_agg(DISTINCT r.lock_id ORDER BY r.lock_id) FILTER (WHERE r.key IS NOT NULL),
           array_agg(DISTINCT r.person_hash ORDER BY r.person_hash),
           array_agg(r.person_hash) FILTER (WHERE r.status = 'PENDING'),
           array_agg(r.show_id)
    INTO asked, with_key, keys, people, holders, shows
    FROM (
        SELECT key, decode(person_hash, 'hex') AS person_hash, show_id, status,
               hashtextextended(concat_ws(':', user_id, operation, key), 0) AS lock_id
        FROM jsonb_to_recordset(requests) AS r(
            user_id uuid, operation text, key text, person_hash text, show_id uuid, status text
        )
    ) AS r;

    -- 1. Keys: a duplicate waits here until the first one's transaction has ended.
    BEGIN
        PERFORM pg_advisory_xact_lock(lock_id) FROM unnest(keys) AS lock_id;
    EXCEPTION WHEN lock_not_available THEN
        RAISE EXCEPTION 'a request with this key is in flight' USING ERRCODE = 'BK001';
    END;

    -- 2. People: who closes an account waits for its sales under way; later ones wait and see it.
    -- Who asks to hold seats has the lock alone: nothing else adds to what that person holds.
    PERFORM CASE WHEN person_hash = ANY (holders) THEN pg_advisory_xact_lock(lock_id)
                 ELSE pg_advisory_xact_lock_shared(lock_id) END
    FROM unnest(people) AS person_hash, LATERAL (
        SELECT hashtextextended('person:' || encode(person_hash, 'hex'), 0)
    ) AS named (lock_id);

    -- 3. Shows: from here on nobody else moves their counters, bookings or buyers' rows, and what
    -- may stop their sale (offer, standing of the creator, cancellation) waits or is seen below.
    PERFORM 1 FROM ticket_inventory AS i WHERE i.show_id = ANY (shows)
    ORDER BY i.show_id FOR UPDATE;

    SELECT array_agg(encode(d.person_hash, 'hex')) INTO closed FROM account_deletion AS d
    WHERE d.person_hash = ANY (people) AND d.state <> 'LIFTED';

    IF asked <= a_few OR cardinality(keys) < with_key THEN
        RETURN QUERY SELECT * FROM reserve_in_turn_v2(requests, closed);
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
    ), request AS MATERIALIZED ( -- what somebody holds is added up once
        SELECT r.*, known.*,
            coalesce((
                SELECT b.active FROM buyer_show AS b
                WHERE b.user_id = r.user_id AND b.show_id = r.show_id
            ), 0) AS has,
            CASE WHEN r.status = 'PENDING' THEN held_by_v1(r.user_id) END AS holds
        FROM jsonb_to_recordset(requests) AS r(
            n bigint, booking_id uuid, show_id uuid, user_id uuid, person_hash text,
            quantity bigint, operation text, key text, fingerprint text, status booking_status,
            hold_seconds bigint, too_large boolean, person_limit bigint, hold_limit bigint,
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
            WHEN r.holds + r.quantity > r.hold_limit THEN 'TOO_MANY_HELD'
            WHEN r.has + r.quantity > r.person_limit THEN 'LIMIT_REACHED'
            ELSE 'RESERVED'
        END AS verdict
        FROM request AS r LEFT JOIN show AS s USING (show_id)
    ), all_fit AS MATERIALIZED (
        SELECT coalesce(bool_and(fits), true) AND NOT EXISTS (
            SELECT FROM judged
            WHERE status = 'PENDING' AND verdict IN ('LIMIT_REACHED', 'RESERVED')
            GROUP BY user_id HAVING max(holds) + sum(quantity) > min(hold_limit)
        ) AS fits FROM (
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
                    'SOLD_OUT', 'PRICE_CHANGED', 'TOO_LARGE', 'TOO_MANY_HELD', 'LIMIT_REACHED',
                    'RESERVED'
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
        RETURN QUERY SELECT * FROM reserve_in_turn_v2(requests, closed);
    END IF;
END
$$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        _drop_index()  # what an attempt that failed has left
        op.create_index(
            "ix_booking_held_by",
            "booking",
            ["user_id", "expires_at"],
            schema=SCHEMA,
            postgresql_where=sa.text("status = 'PENDING'"),
            postgresql_concurrently=True,
        )
    op.execute(HELD_BY)
    op.execute(_in_turn())
    op.execute(RESERVE)
    op.execute(_unhindered())


def downgrade() -> None:
    with op.get_context().autocommit_block():  # first: if it fails, nothing has changed
        _drop_index()
    op.execute("DROP FUNCTION booking.reserve_unhindered_v2(jsonb)")
    op.execute("DROP FUNCTION booking.reserve_v4(jsonb)")
    op.execute("DROP FUNCTION booking.reserve_in_turn_v2(jsonb, text[])")
    op.execute("DROP FUNCTION booking.held_by_v1(uuid)")


def _drop_index() -> None:
    op.drop_index(
        "ix_booking_held_by", "booking", schema=SCHEMA, if_exists=True, postgresql_concurrently=True
    )


def _in_turn() -> str:
    """Return `reserve_in_turn_v1` with the limit, judged before anything is written."""
    return _changed(
        _of_before("20261127_0610_reserve_v3")["IN_TURN"],
        ("reserve_in_turn_v1", "reserve_in_turn_v2"),
        ("person_limit bigint,", "person_limit bigint, hold_limit bigint,"),
        (
            "WHEN request.too_large THEN 'TOO_LARGE'",
            """WHEN request.too_large THEN 'TOO_LARGE'
                WHEN request.status = 'PENDING'
                  AND held_by_v1(request.user_id) + request.quantity > request.hold_limit
                    THEN 'TOO_MANY_HELD'""",
        ),
    )


def _unhindered() -> str:
    """Return `reserve_unhindered_v1`, which takes the locks that `reserve_v4` takes."""
    return _changed(
        _of_before("20261128_0030_reserve_unhindered_v1")["RESERVE"],
        ("reserve_unhindered_v1", "reserve_unhindered_v2"),
        ("reserve_v3", "reserve_v4"),
        (
            """
        SELECT DISTINCT r.person_hash FROM jsonb_to_recordset(requests) AS r(person_hash text)
    ) AS wanted
    WHERE pg_try_advisory_xact_lock_shared(hashtextextended('person:' || person_hash, 0));
""",
            """
        SELECT r.person_hash, hashtextextended('person:' || r.person_hash, 0) AS lock_id,
               bool_or(r.status = 'PENDING') AS alone
        FROM jsonb_to_recordset(requests) AS r(person_hash text, status text)
        GROUP BY r.person_hash
    ) AS wanted
    WHERE CASE WHEN alone THEN pg_try_advisory_xact_lock(lock_id)
               ELSE pg_try_advisory_xact_lock_shared(lock_id) END;
""",
        ),
    )


def _of_before(name: str) -> dict[str, str]:
    return runpy.run_path(str(Path(__file__).with_name(f"{name}.py")))


def _changed(definition: str, *changes: tuple[str, str]) -> str:
    for before, after in changes:
        if definition.count(before) != 1:
            raise AssertionError(f"not there once: {before}")
        definition = definition.replace(before, after)
    return definition

"""What somebody holds keeps only those sales from happening that need it

Revision ID: 20261128_0030
Revises: 20261127_2330

`reserve_v3` sells to everybody or, if it cannot have one lock in time, to nobody.
"""

from alembic import op

revision = "20261128_0030"
down_revision = "20261127_2330"
branch_labels = None
depends_on = None

# The locks of `reserve_v3`, but none is waited for: what is held is left alone, and with it the
# requests that need it. All others are served.
RESERVE = """
CREATE FUNCTION booking.reserve_unhindered_v1(requests jsonb)
RETURNS TABLE (n bigint, outcome text, facts jsonb)
LANGUAGE plpgsql VOLATILE
SET search_path = booking, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    keys bigint[];
    people text[];
    shows uuid[];
    request jsonb;
    free jsonb := '[]';
BEGIN
    SELECT array_agg(lock_id) INTO keys FROM (
        SELECT DISTINCT hashtextextended(concat_ws(':', r.user_id, r.operation, r.key), 0)
        FROM jsonb_to_recordset(requests) AS r(user_id uuid, operation text, key text)
        WHERE r.key IS NOT NULL
    ) AS wanted (lock_id) WHERE pg_try_advisory_xact_lock(lock_id);

    SELECT array_agg(person_hash) INTO people FROM (
        SELECT DISTINCT r.person_hash FROM jsonb_to_recordset(requests) AS r(person_hash text)
    ) AS wanted
    WHERE pg_try_advisory_xact_lock_shared(hashtextextended('person:' || person_hash, 0));

    SELECT array_agg(show_id) INTO shows FROM (
        SELECT i.show_id FROM ticket_inventory AS i WHERE i.show_id IN (
            SELECT r.show_id FROM jsonb_to_recordset(requests) AS r(show_id uuid)
        ) FOR UPDATE SKIP LOCKED
    ) AS locked;

    FOR request IN SELECT value FROM jsonb_array_elements(requests) LOOP
        outcome := CASE
            WHEN request->>'key' IS NOT NULL AND (hashtextextended(concat_ws(
                ':', request->>'user_id', request->>'operation', request->>'key'
            ), 0) = ANY (keys)) IS NOT TRUE THEN 'IN_FLIGHT'
            WHEN (request->>'person_hash' = ANY (people)) IS NOT TRUE THEN 'HELD'
            WHEN ((request->>'show_id')::uuid = ANY (shows)) IS NOT TRUE AND EXISTS (
                SELECT FROM ticket_inventory AS i WHERE i.show_id = (request->>'show_id')::uuid
            ) THEN 'HELD'
        END;
        IF outcome IS NULL THEN
            free := free || request;
        ELSE
            n := request->'n';
            RETURN NEXT;
        END IF;
    END LOOP;
    RETURN QUERY SELECT * FROM reserve_v3(free);
END
$$
"""


def upgrade() -> None:
    op.execute(RESERVE)


def downgrade() -> None:
    op.execute("DROP FUNCTION booking.reserve_unhindered_v1(jsonb)")

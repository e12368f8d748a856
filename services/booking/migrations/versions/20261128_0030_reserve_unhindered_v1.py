"""What somebody holds for too long keeps only those sales from happening that need it

Revision ID: 20261128_0030
Revises: 20261127_2330

`reserve_v3` sells to everybody or, if it cannot have one lock in time, to nobody. It waits less now
than requests wait in the queue of a process, so that those behind it are still there.
"""

from alembic import op

revision = "20261128_0030"
down_revision = "20261127_2330"
branch_labels = None
depends_on = None

# Asked after `reserve_v3` has waited in vain. It takes the same locks in the same order, but one by
# one: what is held is left alone, and with it the requests that need it; all others are served.
# A row lock of a subtransaction makes the update of that row dearer: so not for every sale.
RESERVE = """
CREATE FUNCTION booking.reserve_unhindered_v1(requests jsonb)
RETURNS TABLE (n bigint, outcome text, facts jsonb)
LANGUAGE plpgsql VOLATILE
SET search_path = booking, pg_temp
SET lock_timeout = '20ms'
AS $$
#variable_conflict use_column
DECLARE
    key text;
    person text;
    show uuid;
    held_keys text[] := '{}';
    held_people text[] := '{}';
    held_shows uuid[] := '{}';
    request jsonb;
    free jsonb := '[]';
BEGIN
    FOR key IN
        SELECT DISTINCT ON (hashtextextended(name, 0)) name
        FROM jsonb_to_recordset(requests) AS r(user_id uuid, operation text, key text),
             concat_ws(':', r.user_id, r.operation, r.key) AS name
        WHERE r.key IS NOT NULL ORDER BY hashtextextended(name, 0)
    LOOP
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtextextended(key, 0));
        EXCEPTION WHEN lock_not_available THEN
            held_keys := held_keys || key;
        END;
    END LOOP;

    FOR person IN
        SELECT DISTINCT r.person_hash COLLATE "C" AS name
        FROM jsonb_to_recordset(requests) AS r(person_hash text) ORDER BY name
    LOOP
        BEGIN
            PERFORM pg_advisory_xact_lock_shared(hashtextextended('person:' || person, 0));
        EXCEPTION WHEN lock_not_available THEN
            held_people := held_people || person;
        END;
    END LOOP;

    FOR show IN
        SELECT DISTINCT r.show_id FROM jsonb_to_recordset(requests) AS r(show_id uuid) ORDER BY 1
    LOOP
        BEGIN
            PERFORM FROM ticket_inventory AS i WHERE i.show_id = show FOR UPDATE;
        EXCEPTION WHEN lock_not_available THEN
            held_shows := held_shows || show;
        END;
    END LOOP;

    FOR request IN SELECT value FROM jsonb_array_elements(requests) LOOP
        outcome := CASE
            WHEN concat_ws(':', request->>'user_id', request->>'operation', request->>'key')
                = ANY (held_keys) THEN 'IN_FLIGHT'
            WHEN request->>'person_hash' = ANY (held_people)
              OR (request->>'show_id')::uuid = ANY (held_shows) THEN 'HELD'
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
PATIENCE = "ALTER FUNCTION booking.reserve_v3(jsonb) SET lock_timeout = '750ms'"


def upgrade() -> None:
    op.execute(RESERVE)
    op.execute(PATIENCE)


def downgrade() -> None:
    op.execute("ALTER FUNCTION booking.reserve_v3(jsonb) RESET lock_timeout")
    op.execute("DROP FUNCTION booking.reserve_unhindered_v1(jsonb)")

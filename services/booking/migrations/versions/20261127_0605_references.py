"""Bookings of people who are gone: a random reference, kept as long as the law wants

Revision ID: 20261127_0605
Revises: 20261127_0600
"""

# squawk-ignore require-concurrent-index-creation: before the first release, on empty tables

import sqlalchemy as sa
from alembic import op

revision = "20261127_0605"
down_revision = "20261127_0600"
branch_labels = None
depends_on = None

SCHEMA = "booking"

# With the rights of the owner, as the service may change no booking but its state. It can put a
# reference that nobody has in the place of a person, and nothing else. Call it with the rows of the
# shows locked. Financial years begin on the first of April in India.
FORGET_PERSON = """
CREATE FUNCTION booking.forget_person_v1(person uuid, reference uuid, retention_years bigint)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = booking, pg_temp
AS $$
DECLARE
    forgotten bigint;
BEGIN
    IF retention_years IS NULL OR retention_years NOT BETWEEN 1 AND 30 THEN
        RAISE EXCEPTION 'records are not kept for % years', retention_years
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM booking AS b WHERE b.user_id = reference)
        OR EXISTS (SELECT FROM buyer_show AS p WHERE p.user_id = reference) THEN
        RAISE EXCEPTION 'this reference is taken' USING ERRCODE = 'unique_violation';
    END IF;
    UPDATE booking AS b
    SET user_id = reference,
        retain_until = make_timestamp(
            extract(year FROM b.created_at AT TIME ZONE 'Asia/Kolkata' - interval '3 months')::int
            + 1 + retention_years::int, 4, 1, 0, 0, 0
        ) AT TIME ZONE 'Asia/Kolkata'
    WHERE b.user_id = person AND b.retain_until IS NULL;
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    UPDATE buyer_show AS p SET user_id = reference WHERE p.user_id = person;
    RETURN forgotten;
END
$$
"""


def upgrade() -> None:
    op.add_column(
        "booking",
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_booking_retain_until",
        "booking",
        ["retain_until"],
        schema=SCHEMA,
        postgresql_where=sa.text("retain_until IS NOT NULL"),
    )
    op.execute(FORGET_PERSON)
    op.execute("REVOKE ALL ON FUNCTION booking.forget_person_v1(uuid, uuid, bigint) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION booking.forget_person_v1(uuid, uuid, bigint) TO booking")


# Without the column, references would look like people.
KEEP = """
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM booking.booking WHERE retain_until IS NOT NULL) THEN
        RAISE EXCEPTION 'people were deleted: restore a backup instead of undoing this';
    END IF;
END $$
"""


def downgrade() -> None:
    op.execute(KEEP)
    op.execute("DROP FUNCTION booking.forget_person_v1(uuid, uuid, bigint)")
    op.drop_index("ix_booking_retain_until", "booking", schema=SCHEMA)
    op.drop_column("booking", "retain_until", schema=SCHEMA)

"""Life cycle of a booking: legal moves only, each written down; refunds

Revision ID: 20261122_2305
Revises: 20261122_2250
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_2305"
down_revision = "20261122_2250"
branch_labels = None
depends_on = None

SCHEMA = "booking"
STATUS = postgresql.ENUM(name="booking_status", schema=SCHEMA, create_type=False)

# The same edges as in domain/bookings.py; a test compares every pair.
KEEP_TO_EDGES = """
CREATE FUNCTION booking.keep_to_edges_v1() RETURNS trigger
LANGUAGE plpgsql
SET search_path = booking, pg_temp
AS $$
BEGIN
    IF (OLD.status, NEW.status) NOT IN (
        ('PENDING', 'CONFIRMED'), ('PENDING', 'FAILED'), ('FAILED', 'CONFIRMED'),
        ('CONFIRMED', 'CANCELLED'), ('CONFIRMED_UNPAID', 'CANCELLED')
    ) THEN
        RAISE EXCEPTION 'a booking does not go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'keep_to_edges';
    END IF;
    INSERT INTO booking_move (booking_id, from_status, to_status)
    VALUES (NEW.id, OLD.status, NEW.status);
    RETURN NEW;
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "booking_move",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("from_status", STATUS, nullable=False),
        sa.Column("to_status", STATUS, nullable=False),
        _now("moved_at"),
        sa.PrimaryKeyConstraint("id", name="pk_booking_move"),
        sa.ForeignKeyConstraint(
            ["booking_id"], [f"{SCHEMA}.booking.id"], name="fk_booking_move_booking_id"
        ),
        schema=SCHEMA,
    )
    op.create_index("ix_booking_move_booking_id", "booking_move", ["booking_id"], schema=SCHEMA)
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON booking.booking_move FROM booking")
    op.execute(KEEP_TO_EDGES)
    op.execute(
        "CREATE TRIGGER keep_to_edges BEFORE UPDATE OF status ON booking.booking FOR EACH ROW"
        " WHEN (OLD.status IS DISTINCT FROM NEW.status)"
        " EXECUTE FUNCTION booking.keep_to_edges_v1()"
    )
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "BUYER_CANCELLED",
                "SHOW_MOVED",
                "SHOW_CANCELLED",
                "LATE_CAPTURE",
                name="refund_reason",
                schema=SCHEMA,
            ),
            nullable=False,
        ),
        sa.Column("ticket_paise", sa.BigInteger(), nullable=False),
        sa.Column("convenience_fee_paise", sa.BigInteger(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("DUE", "SENT", "DONE", "FAILED", name="refund_status", schema=SCHEMA),
            nullable=False,
        ),
        _now("created_at"),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_refund"),
        sa.ForeignKeyConstraint(
            ["booking_id"], [f"{SCHEMA}.booking.id"], name="fk_refund_booking_id"
        ),
        sa.CheckConstraint(
            "ticket_paise >= 0 AND convenience_fee_paise >= 0"
            " AND ticket_paise + convenience_fee_paise > 0",
            name=op.f("ck_refund_something_is_refunded"),
        ),
        schema=SCHEMA,
    )
    op.create_index("ix_refund_booking_id", "refund", ["booking_id"], schema=SCHEMA)
    op.create_index(
        "uq_refund_of_cancellation",
        "refund",
        ["booking_id"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("reason <> 'LATE_CAPTURE'"),
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON booking.refund FROM booking")
    op.execute("GRANT UPDATE (status, updated_at) ON booking.refund TO booking")


def downgrade() -> None:
    op.drop_table("refund", schema=SCHEMA)
    op.execute("DROP TYPE booking.refund_status")
    op.execute("DROP TYPE booking.refund_reason")
    op.execute("DROP TRIGGER keep_to_edges ON booking.booking")
    op.execute("DROP FUNCTION booking.keep_to_edges_v1()")
    op.drop_table("booking_move", schema=SCHEMA)


def _now(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)

"""What buyers are told by mail

Revision ID: 20261127_1100
Revises: 20261127_0630

A sale writes nothing for it: who bought from now on is found by the worker, by the ids of bookings.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261127_1100"
down_revision = "20261127_0630"
branch_labels = None
depends_on = None

SCHEMA = "booking"


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            _enum("notice_kind", "BOOKED", "CANCELLED", "SHOW_CANCELLED", "REFUNDED"),
            nullable=False,
        ),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("outcome", _enum("notice_outcome", "SENT", "REFUSED", "VOID"), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        # With a booking that is discarded its notices go, in releases that know none as well.
        sa.ForeignKeyConstraint(
            ["booking_id"],
            [f"{SCHEMA}.booking.id"],
            name="fk_notice_booking_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "(kind = 'REFUNDED') = (refund_id IS NOT NULL)",
            name=op.f("ck_notice_says_which_refund"),
        ),
        sa.CheckConstraint(
            "(done_at IS NULL) = (outcome IS NULL)", name=op.f("ck_notice_done_with_an_outcome")
        ),
        sa.UniqueConstraint(
            "booking_id",
            "kind",
            "refund_id",
            name="uq_notice",
            postgresql_nulls_not_distinct=True,
        ),
        schema=SCHEMA,
    )
    for name, column, condition in (
        ("ix_notice_waiting", "id", "batch_id IS NULL"),
        ("ix_notice_being_sent", "batch_id", "done_at IS NULL"),
        ("ix_notice_open", "created_at", "done_at IS NULL"),
    ):
        op.create_index(
            name, "notice", [column], schema=SCHEMA, postgresql_where=sa.text(condition)
        )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON booking.notice FROM booking")
    op.execute("GRANT UPDATE (batch_id, outcome, done_at) ON booking.notice TO booking")
    op.create_table(
        "notice_scan",
        sa.Column("sole", sa.Boolean(), server_default="true", nullable=False),
        *(
            sa.Column(
                name,
                sa.DateTime(timezone=True),
                server_default=sa.func.now(),
                nullable=False,
            )
            for name in ("began_at", "found_until")
        ),
        sa.PrimaryKeyConstraint("sole", name="pk_notice_scan"),
        sa.CheckConstraint("sole", name=op.f("ck_notice_scan_one_row")),
        schema=SCHEMA,
    )
    op.execute("INSERT INTO booking.notice_scan DEFAULT VALUES")
    op.execute("REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON booking.notice_scan FROM booking")
    op.execute("GRANT UPDATE (found_until) ON booking.notice_scan TO booking")


def downgrade() -> None:
    op.drop_table("notice_scan", schema=SCHEMA)
    op.drop_table("notice", schema=SCHEMA)
    op.execute("DROP TYPE booking.notice_outcome")
    op.execute("DROP TYPE booking.notice_kind")


def _enum(name: str, *values: str) -> postgresql.ENUM:
    return postgresql.ENUM(*values, name=name, schema=SCHEMA)

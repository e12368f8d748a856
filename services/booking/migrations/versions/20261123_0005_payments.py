"""Payments: orders at the provider, payments, news about them; how refunds are sent

Revision ID: 20261123_0005
Revises: 20261122_2346
"""

# squawk-ignore constraint-missing-not-valid: before the first release, on empty tables
# squawk-ignore disallowed-unique-constraint: before the first release, on empty tables
# squawk-ignore require-concurrent-index-creation: before the first release, on empty tables

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "20261123_0005"
down_revision = "20261122_2346"
branch_labels = None
depends_on = None

SCHEMA = "booking"
REFUND_COLUMNS = ("payment_id", "attempt", "provider_refund_id", "failure")


def upgrade() -> None:
    op.create_table(
        "payment_order",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("amount_paise", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("check_at", sa.DateTime(timezone=True), nullable=True),
        _now("created_at"),
        sa.PrimaryKeyConstraint("order_id", name="pk_payment_order"),
        sa.UniqueConstraint("booking_id", name="uq_payment_order_booking_id"),
        sa.ForeignKeyConstraint(
            ["booking_id"], [f"{SCHEMA}.booking.id"], name="fk_payment_order_booking_id"
        ),
        sa.CheckConstraint("amount_paise > 0", name=op.f("ck_payment_order_amount_positive")),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_payment_order_check_at",
        "payment_order",
        ["check_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("check_at IS NOT NULL"),
    )
    op.create_table(
        "payment",
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("amount_paise", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column(
            "status",
            _enum("payment_status", "CREATED", "FAILED", "AUTHORIZED", "CAPTURED"),
            nullable=False,
        ),
        sa.Column(
            "verdict",
            _enum("payment_verdict", "CONFIRMED", "WRONG_AMOUNT", "PAID_ALREADY", "TOO_LATE"),
            nullable=True,
        ),
        _now("created_at"),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("payment_id", name="pk_payment"),
        sa.ForeignKeyConstraint(
            ["order_id"], [f"{SCHEMA}.payment_order.order_id"], name="fk_payment_order_id"
        ),
        sa.CheckConstraint(
            "(status = 'CAPTURED') = (verdict IS NOT NULL)",
            name=op.f("ck_payment_a_capture_has_its_verdict"),
        ),
        schema=SCHEMA,
    )
    op.create_index("ix_payment_order_id", "payment", ["order_id"], schema=SCHEMA)
    op.create_index(
        "uq_payment_that_confirmed",
        "payment",
        ["order_id"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("verdict = 'CONFIRMED'"),
    )
    op.create_table(
        "payment_news",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Text(), nullable=True),
        _now("received_at"),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_payment_news"),
        sa.UniqueConstraint("digest", name="uq_payment_news_digest"),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_payment_news_open",
        "payment_news",
        ["received_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("handled_at IS NULL"),
    )
    for column in (
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("attempt", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("provider_refund_id", sa.Text(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
    ):
        op.add_column("refund", column, schema=SCHEMA)
    op.create_unique_constraint(
        "uq_refund_provider_refund_id", "refund", ["provider_refund_id"], schema=SCHEMA
    )
    op.create_index(
        "ix_refund_open",
        "refund",
        ["updated_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("status <> 'DONE'"),
    )
    # What was ordered and captured stays as it was: only what became of it is written.
    for table, columns in (
        ("payment_order", "check_at"),
        ("payment", "status, verdict, updated_at"),
        ("payment_news", "handled_at"),
    ):
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON booking.{table} FROM booking")
        op.execute(f"GRANT UPDATE ({columns}) ON booking.{table} TO booking")
    op.execute("GRANT UPDATE (attempt, provider_refund_id, failure) ON booking.refund TO booking")


# Nothing else knows of them: undone, they would happen again.
KEEP = """
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM booking.payment) THEN
        RAISE EXCEPTION 'there are payments: restore a backup instead of undoing this';
    END IF;
END $$
"""


def downgrade() -> None:
    op.execute(KEEP)
    op.drop_index("ix_refund_open", table_name="refund", schema=SCHEMA)
    op.drop_constraint("uq_refund_provider_refund_id", "refund", schema=SCHEMA)
    for column in REFUND_COLUMNS:
        op.drop_column("refund", column, schema=SCHEMA)
    for table in ("payment_news", "payment", "payment_order"):
        op.drop_table(table, schema=SCHEMA)
    for kind in ("payment_verdict", "payment_status"):
        op.execute(f"DROP TYPE booking.{kind}")


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, schema=SCHEMA)


def _now(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)

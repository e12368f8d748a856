"""Standing of creators, moved, cancelled and deleted shows, holds and refund policies

Revision ID: 20261122_2245
Revises: 20261122_2125
"""

# squawk-ignore constraint-missing-not-valid: before the first release, on empty tables
# squawk-ignore require-concurrent-index-creation: before the first release, on empty tables

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_2245"
down_revision = "20261122_2125"
branch_labels = None
depends_on = None

SCHEMA = "booking"
INVENTORY_COLUMNS = ("creator_allowed", "creator_fee_basis_points", "moved_at", "cancelled_at")
BOOKING_COLUMNS = ("refund_policy", "settings_version")


def upgrade() -> None:
    op.create_table(
        "creator_standing",
        sa.Column("creator_id", sa.Uuid(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("creator_id", name="pk_creator_standing"),
        sa.CheckConstraint("version > 0", name=op.f("ck_creator_standing_version_counts_from_one")),
        schema=SCHEMA,
    )
    op.create_table(
        "deleted_offer",
        sa.Column("show_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        _now("deleted_at"),
        sa.PrimaryKeyConstraint("show_id", name="pk_deleted_offer"),
        schema=SCHEMA,
    )
    for column in (
        sa.Column("creator_allowed", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("creator_fee_basis_points", sa.BigInteger(), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("ticket_inventory", column, schema=SCHEMA)
    op.create_check_constraint(
        op.f("ck_ticket_inventory_cancelled_for_ever"),
        "ticket_inventory",
        "cancelled_at IS NULL OR NOT on_sale",
        schema=SCHEMA,
    )
    op.create_check_constraint(
        op.f("ck_ticket_inventory_creators_fee_is_a_share"),
        "ticket_inventory",
        "creator_fee_basis_points BETWEEN 0 AND 10000",
        schema=SCHEMA,
    )
    for column in (
        sa.Column("refund_policy", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("settings_version", sa.BigInteger(), nullable=True),
    ):
        op.add_column("booking", column, schema=SCHEMA)
    op.create_check_constraint(
        op.f("ck_booking_a_hold_ends"),
        "booking",
        "status <> 'PENDING' OR expires_at IS NOT NULL",
        schema=SCHEMA,
    )
    op.create_index(
        "ix_booking_hold",
        "booking",
        ["show_id", "expires_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("status = 'PENDING'"),
    )
    op.execute("GRANT DELETE ON booking.ticket_inventory TO booking")  # shows never booked


def downgrade() -> None:
    op.execute("REVOKE DELETE ON booking.ticket_inventory FROM booking")
    op.drop_index("ix_booking_hold", table_name="booking", schema=SCHEMA)
    op.drop_constraint(op.f("ck_booking_a_hold_ends"), "booking", schema=SCHEMA)
    for column in BOOKING_COLUMNS:
        op.drop_column("booking", column, schema=SCHEMA)
    for column in INVENTORY_COLUMNS:  # with their checks
        op.drop_column("ticket_inventory", column, schema=SCHEMA)
    op.drop_table("deleted_offer", schema=SCHEMA)
    op.drop_table("creator_standing", schema=SCHEMA)


def _now(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)

"""Inventory and bookings

Revision ID: 20261122_2010
Revises:
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_2010"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "booking"


def upgrade() -> None:
    op.create_table(
        "ticket_inventory",
        sa.Column("show_id", sa.Uuid(), nullable=False),
        sa.Column("capacity", sa.BigInteger(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("locked", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sold", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("creator_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("poster_image_url", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_minutes", sa.BigInteger(), nullable=False),
        sa.Column("price_paise", sa.BigInteger(), nullable=False),
        sa.Column("platform_fee_basis_points", sa.BigInteger(), nullable=True),
        sa.Column("on_sale", sa.Boolean(), nullable=False),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("show_id", name="pk_ticket_inventory"),
        _check("ticket_inventory", "seats_add_up", "available + locked + sold = capacity"),
        _check("ticket_inventory", "no_seat_twice", "available >= 0 AND locked >= 0 AND sold >= 0"),
        _check("ticket_inventory", "price_not_negative", "price_paise >= 0"),
        _check("ticket_inventory", "version_counts_from_one", "version > 0"),
        _check(
            "ticket_inventory", "fee_is_a_share", "platform_fee_basis_points BETWEEN 0 AND 10000"
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_ticket_inventory_creator_id", "ticket_inventory", ["creator_id"], schema=SCHEMA
    )
    op.create_table(
        "booking",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("show_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price_paise", sa.BigInteger(), nullable=False),
        sa.Column("ticket_total_paise", sa.BigInteger(), nullable=False),
        sa.Column("convenience_fee_basis_points", sa.BigInteger(), nullable=False),
        sa.Column("convenience_fee_paise", sa.BigInteger(), nullable=False),
        sa.Column("platform_fee_basis_points", sa.BigInteger(), nullable=False),
        sa.Column("platform_fee_paise", sa.BigInteger(), nullable=False),
        sa.Column("fee_schedule_version", sa.BigInteger(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "PENDING",
                "CONFIRMED",
                "CONFIRMED_UNPAID",
                "CANCELLED",
                "FAILED",
                name="booking_status",
                schema=SCHEMA,
            ),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        _now("created_at"),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_booking"),
        sa.ForeignKeyConstraint(
            ["show_id"], [f"{SCHEMA}.ticket_inventory.show_id"], name="fk_booking_show_id"
        ),
        _check("booking", "quantity_in_limits", "quantity BETWEEN 1 AND 10"),
        _check("booking", "total_is_product", "ticket_total_paise = unit_price_paise * quantity"),
        _check(
            "booking",
            "fees_not_negative",
            "convenience_fee_paise >= 0 AND platform_fee_paise >= 0",
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_booking_user_id_id", "booking", ["user_id", sa.text("id DESC")], schema=SCHEMA
    )
    op.create_index("ix_booking_show_id_status", "booking", ["show_id", "status"], schema=SCHEMA)
    op.create_table(
        "buyer_show",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("show_id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "show_id", name="pk_buyer_show"),
        sa.ForeignKeyConstraint(
            ["show_id"], [f"{SCHEMA}.ticket_inventory.show_id"], name="fk_buyer_show_show_id"
        ),
        _check("buyer_show", "active_not_negative", "active >= 0"),
        schema=SCHEMA,
    )
    op.create_table(
        "idempotency_key",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _now("created_at"),
        sa.PrimaryKeyConstraint("user_id", "operation", "key", name="pk_idempotency_key"),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_idempotency_key_created_at", "idempotency_key", ["created_at"], schema=SCHEMA
    )
    op.create_table(
        "fee_schedule",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("platform_fee_basis_points", sa.BigInteger(), nullable=False),
        sa.Column("slabs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _now("received_at"),
        _now("confirmed_at"),
        sa.PrimaryKeyConstraint("version", name="pk_fee_schedule"),
        schema=SCHEMA,
    )
    # What was agreed with a buyer stays as it was: only the state of a booking may move.
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON booking.booking FROM booking")
    op.execute("GRANT UPDATE (status, expires_at, updated_at) ON booking.booking TO booking")


def downgrade() -> None:
    for table in ("fee_schedule", "idempotency_key", "buyer_show", "booking", "ticket_inventory"):
        op.drop_table(table, schema=SCHEMA)
    op.execute("DROP TYPE booking.booking_status")


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _now(column: str) -> sa.Column[datetime]:
    return sa.Column(
        column, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
    )

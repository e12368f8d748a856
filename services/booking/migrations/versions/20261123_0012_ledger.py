"""The ledger of each show

Revision ID: 20261123_0012
Revises: 20261123_0010
"""

import sqlalchemy as sa
from alembic import op

revision = "20261123_0012"
down_revision = "20261123_0010"
branch_labels = None
depends_on = None

SCHEMA = "booking"
AMOUNTS = ("ticket_paise", "convenience_fee_paise", "platform_fee_paise", "paid_out_paise")

# What was captured, and owed back, before there was a ledger.
CAPTURED_BEFORE = """
INSERT INTO booking.ledger_entry (
    show_id, booking_id, kind, ticket_paise, convenience_fee_paise, platform_fee_paise
)
SELECT show_id, id, 'CAPTURE', ticket_total_paise, convenience_fee_paise, platform_fee_paise
FROM booking.booking AS b
WHERE ticket_total_paise > 0 AND EXISTS (
    SELECT FROM booking.booking_move WHERE booking_id = b.id AND to_status = 'CONFIRMED'
)
ORDER BY id
"""
REFUNDED_BEFORE = """
INSERT INTO booking.ledger_entry (
    show_id, booking_id, kind, ticket_paise, convenience_fee_paise, platform_fee_paise
)
SELECT b.show_id, b.id, 'REFUND', -r.ticket_paise, -r.convenience_fee_paise,
       ((b.ticket_total_paise - r.ticket_paise) * b.platform_fee_basis_points + 5000) / 10000
       - b.platform_fee_paise
FROM booking.refund AS r JOIN booking.booking AS b ON b.id = r.booking_id
WHERE r.reason <> 'LATE_CAPTURE'
ORDER BY r.id
"""


def upgrade() -> None:
    op.create_table(
        "ledger_person",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("reference", name="pk_ledger_person"),
        sa.UniqueConstraint("user_id", name="uq_ledger_person_user_id"),
        schema=SCHEMA,
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("show_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum("CAPTURE", "REFUND", "DISBURSEMENT", name="ledger_kind", schema=SCHEMA),
            nullable=False,
        ),
        *(sa.Column(name, sa.BigInteger(), server_default="0", nullable=False) for name in AMOUNTS),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entry"),
        sa.ForeignKeyConstraint(
            ["show_id"],
            [f"{SCHEMA}.ticket_inventory.show_id"],
            name="fk_ledger_entry_show_id",
        ),
        sa.ForeignKeyConstraint(
            ["booking_id"], [f"{SCHEMA}.booking.id"], name="fk_ledger_entry_booking_id"
        ),
        sa.CheckConstraint(
            "(kind = 'DISBURSEMENT') = (booking_id IS NULL)"
            " AND (kind = 'DISBURSEMENT') = (actor IS NOT NULL)"
            " AND (kind = 'DISBURSEMENT' OR paid_out_paise = 0)",
            name=op.f("ck_ledger_entry_says_what_its_kind_says"),
        ),
        sa.CheckConstraint(
            "CASE kind WHEN 'CAPTURE' THEN"
            " least(ticket_paise, convenience_fee_paise, platform_fee_paise) >= 0"
            " WHEN 'REFUND' THEN"
            " greatest(ticket_paise, convenience_fee_paise, platform_fee_paise) <= 0"
            " ELSE ticket_paise = 0 AND convenience_fee_paise = 0 AND platform_fee_paise = 0"
            " AND paid_out_paise >= 0 END",
            name=op.f("ck_ledger_entry_has_the_sign_of_its_kind"),
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_ledger_entry_show_id",
        "ledger_entry",
        ["show_id"],
        schema=SCHEMA,
        postgresql_include=["ticket_paise", "platform_fee_paise", "paid_out_paise"],
    )
    op.create_index(
        "uq_ledger_entry_booking_id_kind",
        "ledger_entry",
        ["booking_id", "kind"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("booking_id IS NOT NULL"),
    )
    op.create_index(
        "uq_ledger_entry_disbursement",
        "ledger_entry",
        ["show_id"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("kind = 'DISBURSEMENT'"),
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON booking.ledger_entry FROM booking")
    op.execute(CAPTURED_BEFORE)
    op.execute(REFUNDED_BEFORE)


# Nothing else knows of them: undone, they would happen again.
KEEP = """
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM booking.ledger_entry WHERE kind = 'DISBURSEMENT') THEN
        RAISE EXCEPTION 'there are payouts: restore a backup instead of undoing this';
    END IF;
END $$
"""


def downgrade() -> None:
    op.execute(KEEP)
    op.drop_table("ledger_entry", schema=SCHEMA)
    op.execute("DROP TYPE booking.ledger_kind")
    op.drop_table("ledger_person", schema=SCHEMA)

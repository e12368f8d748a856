"""Keys that sign tickets; admissions

Revision ID: 20261123_0010
Revises: 20261123_0005
"""

import sqlalchemy as sa
from alembic import op

revision = "20261123_0010"
down_revision = "20261123_0005"
branch_labels = None
depends_on = None

SCHEMA = "booking"


def upgrade() -> None:
    op.create_table(
        "ticket_key",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("encrypted_private_key", sa.LargeBinary(), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("kid", name="pk_ticket_key"),
        sa.CheckConstraint(
            "octet_length(public_key) = 32", name=op.f("ck_ticket_key_public_key_is_ed25519")
        ),
        schema=SCHEMA,
    )
    # Without its key a ticket could not be shown again: keys are withdrawn, never removed.
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON booking.ticket_key FROM booking")
    op.execute(
        "GRANT UPDATE (encrypted_private_key, withdrawn_at) ON booking.ticket_key TO booking"
    )
    op.create_table(
        "admission",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("seat", sa.BigInteger(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("by_admin", sa.Boolean(), nullable=False),
        sa.Column("admitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("booking_id", "seat", name="pk_admission"),
        sa.ForeignKeyConstraint(
            ["booking_id"], [f"{SCHEMA}.booking.id"], name="fk_admission_booking_id"
        ),
        sa.CheckConstraint("seat BETWEEN 1 AND 10", name=op.f("ck_admission_seat_in_limits")),
        schema=SCHEMA,
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON booking.admission FROM booking")


# Nothing else knows of them: undone, they would happen again.
KEEP = """
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM booking.admission) THEN
        RAISE EXCEPTION 'there are admissions: restore a backup instead of undoing this';
    END IF;
END $$
"""


def downgrade() -> None:
    op.execute(KEEP)
    op.drop_table("admission", schema=SCHEMA)
    op.drop_table("ticket_key", schema=SCHEMA)

"""Cancellations of shows

Revision ID: 20261122_2312
Revises: 20261122_2305
"""

import sqlalchemy as sa
from alembic import op

revision = "20261122_2312"
down_revision = "20261122_2305"
branch_labels = None
depends_on = None

SCHEMA = "booking"


def upgrade() -> None:
    op.create_table(
        "show_cancellation",
        sa.Column("show_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("show_id", name="pk_show_cancellation"),
        sa.ForeignKeyConstraint(
            ["show_id"],
            [f"{SCHEMA}.ticket_inventory.show_id"],
            name="fk_show_cancellation_show_id",
        ),
        schema=SCHEMA,
    )


def downgrade() -> None:
    op.drop_table("show_cancellation", schema=SCHEMA)

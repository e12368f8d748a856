"""Fee schedules

Revision ID: 20261122_2000
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_2000"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fee_schedule_version",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("platform_fee_basis_points", sa.BigInteger(), nullable=False),
        sa.Column("slabs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "effective_from",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("version", name="pk_fee_schedule_version"),
        sa.CheckConstraint(
            "version > 0", name=op.f("ck_fee_schedule_version_version_counts_from_one")
        ),
        sa.CheckConstraint(
            "platform_fee_basis_points BETWEEN 0 AND 10000",
            name=op.f("ck_fee_schedule_version_platform_fee_is_a_share"),
        ),
        schema="config",
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON config.fee_schedule_version FROM config")


def downgrade() -> None:
    op.drop_table("fee_schedule_version", schema="config")

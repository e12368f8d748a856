"""Settings received from config beside the fees

Revision ID: 20261122_2125
Revises: 20261122_2120
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_2125"
down_revision = "20261122_2120"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "platform_settings",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _now("received_at"),
        _now("confirmed_at"),
        sa.PrimaryKeyConstraint("version", name="pk_platform_settings"),
        schema="booking",
    )


def downgrade() -> None:
    op.drop_table("platform_settings", schema="booking")


def _now(column: str) -> sa.Column[datetime]:
    return sa.Column(
        column, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
    )

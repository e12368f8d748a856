"""How often somebody asked for something, for all processes together

Revision ID: 20261128_0330
Revises: 20261127_0540

Not logged: what is counted is worthless a minute or an hour later.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261128_0330"
down_revision = "20261127_0540"
branch_labels = None
depends_on = None

SCHEMA = "config"


def upgrade() -> None:
    op.create_table(
        "rate_count",
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ends_at", "digest", name="pk_rate_count"),
        schema=SCHEMA,
        prefixes=["UNLOGGED"],
    )


def downgrade() -> None:
    op.drop_table("rate_count", schema=SCHEMA)

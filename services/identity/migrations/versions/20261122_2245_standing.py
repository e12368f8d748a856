"""What the other services are told of creators

Revision ID: 20261122_2245
Revises: 20261122_2110
"""

import sqlalchemy as sa
from alembic import op

revision = "20261122_2245"
down_revision = "20261122_2110"
branch_labels = None
depends_on = None

SCHEMA = "identity"


def upgrade() -> None:
    op.create_table(
        "standing",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_standing"),
        sa.UniqueConstraint("user_id", name="uq_standing_user_id"),
        sa.CheckConstraint("version > 0", name=op.f("ck_standing_version_counts_from_one")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["identity.user.id"], name="fk_standing_user_id", ondelete="CASCADE"
        ),
        schema=SCHEMA,
    )


def downgrade() -> None:
    op.drop_table("standing", schema=SCHEMA)

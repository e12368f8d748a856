"""Terms agreed with creators

Revision ID: 20261122_2320
Revises: 20261122_2312
"""

import sqlalchemy as sa
from alembic import op

revision = "20261122_2320"
down_revision = "20261122_2312"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "creator_terms",
        sa.Column("creator_id", sa.Uuid(), nullable=False),
        sa.Column("platform_fee_basis_points", sa.BigInteger(), nullable=True),
        sa.Column(
            "confirmed_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("creator_id", name="pk_creator_terms"),
        sa.CheckConstraint(
            "platform_fee_basis_points BETWEEN 0 AND 10000",
            name=op.f("ck_creator_terms_fee_is_a_share"),
        ),
        schema="booking",
    )


def downgrade() -> None:
    op.drop_table("creator_terms", schema="booking")

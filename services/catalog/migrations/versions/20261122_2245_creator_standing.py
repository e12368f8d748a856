"""What identity said about creators

Revision ID: 20261122_2245
Revises: 20261122_2016
"""

import sqlalchemy as sa
from alembic import op

revision = "20261122_2245"
down_revision = "20261122_2016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "creator_standing",
        sa.Column("creator_id", sa.Uuid(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_creator_standing_version_counts_from_one")),
        sa.PrimaryKeyConstraint("creator_id", name=op.f("pk_creator_standing")),
        schema="catalog",
    )
    op.create_index(
        "ix_creator_standing_not_allowed",
        "creator_standing",
        ["creator_id"],
        schema="catalog",
        postgresql_where=sa.text("allowed IS false"),
    )


def downgrade() -> None:
    op.drop_table("creator_standing", schema="catalog")

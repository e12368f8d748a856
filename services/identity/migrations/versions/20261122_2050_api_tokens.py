"""API tokens

Revision ID: 20261122_2050
Revises: 20261122_2005
"""

import sqlalchemy as sa
from alembic import op

revision = "20261122_2050"
down_revision = "20261122_2005"
branch_labels = None
depends_on = None

SCHEMA = "identity"


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("token_hash", name="uq_api_token_token_hash"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["identity.user.id"], name="fk_api_token_user_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("name <> ''", name=op.f("ck_api_token_name_present")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_api_token_expires")),
        schema=SCHEMA,
    )
    op.create_index("ix_api_token_user_id", "api_token", ["user_id"], schema=SCHEMA)
    op.create_index("ix_api_token_expires_at", "api_token", ["expires_at"], schema=SCHEMA)


def downgrade() -> None:
    op.drop_table("api_token", schema=SCHEMA)

"""Which key deletions are remembered under

Revision ID: 20261127_1100
Revises: 20261127_0600
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127_1100"
down_revision = "20261127_0600"
branch_labels = None
depends_on = None

SCHEMA = "identity"


def upgrade() -> None:
    op.create_table(
        "erasure_key",
        sa.Column("is_the_only_one", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("key_check", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("is_the_only_one", name="pk_erasure_key"),
        sa.CheckConstraint("is_the_only_one", name=op.f("ck_erasure_key_only_one")),
        sa.CheckConstraint(
            "octet_length(key_check) = 32", name=op.f("ck_erasure_key_check_is_sha256")
        ),
        schema=SCHEMA,
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON identity.erasure_key FROM identity")


def downgrade() -> None:
    op.drop_table("erasure_key", schema=SCHEMA)

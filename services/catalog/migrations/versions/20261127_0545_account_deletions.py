"""Deletions of accounts: fences while one is decided, tombstones afterwards

Revision ID: 20261127_0545
Revises: 20261123_0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261127_0545"
down_revision = "20261123_0008"
branch_labels = None
depends_on = None

SCHEMA = "catalog"


def upgrade() -> None:
    op.create_table(
        "account_deletion",
        sa.Column("saga_id", sa.Uuid(), nullable=False),
        sa.Column("person_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("FENCED", "LIFTED", "PURGED", name="deletion_state", schema=SCHEMA),
            nullable=False,
        ),
        sa.Column("counts", postgresql.JSONB(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("saga_id", name="pk_account_deletion"),
        sa.CheckConstraint(
            "octet_length(person_hash) = 32", name=op.f("ck_account_deletion_hash_is_sha256")
        ),
        sa.CheckConstraint(
            "(state = 'FENCED') = (ended_at IS NULL)", name=op.f("ck_account_deletion_ends_once")
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "uq_account_deletion_person_hash",
        "account_deletion",
        ["person_hash"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("state <> 'LIFTED'"),
    )
    op.create_table(
        "fenced_person",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_fenced_person")),
        schema=SCHEMA,
    )


# A tombstone is all that is left to know a person by who must not come back.
KEEP = """
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM catalog.account_deletion WHERE state <> 'LIFTED') THEN
        RAISE EXCEPTION 'people were deleted: restore a backup instead of undoing this';
    END IF;
END $$
"""


def downgrade() -> None:
    op.execute(KEEP)
    op.drop_table("fenced_person", schema=SCHEMA)
    op.drop_table("account_deletion", schema=SCHEMA)
    op.execute("DROP TYPE catalog.deletion_state")

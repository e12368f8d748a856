"""Deletions of accounts

Revision ID: 20261127_0600
Revises: 20261122_2245
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261127_0600"
down_revision = "20261122_2245"
branch_labels = None
depends_on = None

SCHEMA = "identity"
STATES = ("PREPARING", "WITHDRAWING", "REFUSED", "PURGING", "PURGED", "COMPLETED")


def upgrade() -> None:
    op.add_column("user", sa.Column("closed_by", sa.Uuid(), nullable=True), schema=SCHEMA)
    op.create_table(
        "account_deletion",
        sa.Column("saga_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("person_hash", sa.LargeBinary(), nullable=False),
        sa.Column("link_hash", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Enum(*STATES, name="deletion_state", schema=SCHEMA), nullable=False),
        sa.Column("reasons", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("attempt", sa.BigInteger(), server_default="1", nullable=False),
        _instant("requested_at", default=sa.func.now()),
        _instant("decided_at"),
        _instant("ended_at"),
        _instant("moved_at", default=sa.func.now()),
        sa.PrimaryKeyConstraint("saga_id", name="pk_account_deletion"),
        sa.UniqueConstraint("link_hash", name="uq_account_deletion_link_hash"),
        sa.CheckConstraint(
            "octet_length(person_hash) = 32", name=op.f("ck_account_deletion_hash_is_sha256")
        ),
        sa.CheckConstraint(
            "(state IN ('REFUSED', 'COMPLETED')) = (ended_at IS NOT NULL)",
            name=op.f("ck_account_deletion_ends_once"),
        ),
        sa.CheckConstraint(
            "state = 'REFUSED' OR (state IN ('PURGED', 'COMPLETED')) = (person_id IS NULL)",
            name=op.f("ck_account_deletion_nobody_left_at_the_end"),
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "uq_account_deletion_open",
        "account_deletion",
        ["person_hash"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("state NOT IN ('REFUSED', 'PURGED', 'COMPLETED')"),
    )
    op.create_index(
        "ix_account_deletion_under_way",
        "account_deletion",
        ["moved_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("state NOT IN ('REFUSED', 'COMPLETED')"),
    )
    op.create_index(
        "ix_account_deletion_person_id", "account_deletion", ["person_id"], schema=SCHEMA
    )
    op.create_index(
        "ix_account_deletion_requested_at",
        "account_deletion",
        ["requested_at", "saga_id"],
        schema=SCHEMA,
    )
    op.create_table(
        "account_deletion_step",
        sa.Column("saga_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _instant("started_at", default=sa.func.clock_timestamp()),
        _instant("done_at"),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("counts", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("saga_id", "name", name="pk_account_deletion_step"),
        sa.ForeignKeyConstraint(
            ["saga_id"],
            [f"{SCHEMA}.account_deletion.saga_id"],
            name="fk_account_deletion_step_saga_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_account_deletion_step_failures_counted")),
        schema=SCHEMA,
    )


def _instant(name: str, default: sa.sql.elements.ColumnElement | None = None) -> sa.Column:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=default, nullable=default is None
    )


# Receipts, and the only record of a deletion under way.
KEEP = """
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM identity.account_deletion WHERE state <> 'REFUSED') THEN
        RAISE EXCEPTION 'people were deleted: restore a backup instead of undoing this';
    END IF;
END $$
"""


def downgrade() -> None:
    op.execute(KEEP)
    op.drop_table("account_deletion_step", schema=SCHEMA)
    op.drop_table("account_deletion", schema=SCHEMA)
    op.execute("DROP TYPE identity.deletion_state")
    op.drop_column("user", "closed_by", schema=SCHEMA)

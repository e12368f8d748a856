"""Versions of every setting, and names for their authors

Revision ID: 20261122_2105
Revises: 20261122_2000
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_2105"
down_revision = "20261122_2000"
branch_labels = None
depends_on = None

# What the platform starts with: every key has a version from its first moment on.
INITIAL = """
INSERT INTO config.setting_version (key, version, value, effective_from, author, reason)
SELECT key, 1, value::jsonb, now(), 'system', 'initial value' FROM (VALUES
    ('booking-limits', '{"tickets_per_booking": 10, "tickets_per_person_and_show": 10}'),
    ('hold-time', '{"minutes": 10}'),
    ('refund-policy', '{"tiers": [{"hours_before_start": 24, "basis_points": 10000}],
                        "refunds_convenience_fee": false}'),
    ('retention', '{"years": 8}')
) AS initial (key, value)
"""


def upgrade() -> None:
    op.create_table(
        "setting_version",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("key", "version", name="pk_setting_version"),
        sa.CheckConstraint("version > 0", name=op.f("ck_setting_version_version_counts_from_one")),
        schema="config",
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON config.setting_version FROM config")
    op.create_table(
        "author",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("reference", name="pk_author"),
        sa.UniqueConstraint("user_id", name="uq_author_user_id"),
        schema="config",
    )
    op.execute("REVOKE UPDATE, TRUNCATE ON config.author FROM config")
    op.execute(INITIAL)


def downgrade() -> None:
    op.drop_table("author", schema="config")
    op.drop_table("setting_version", schema="config")

"""All shows by age, for admins

Revision ID: 20261123_0008
Revises: 20261122_2359
"""

# squawk-ignore require-concurrent-index-creation: before the first release, on empty tables

from alembic import op

revision = "20261123_0008"
down_revision = "20261122_2359"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_show_newest", "show", ["created_at", "id"], schema="catalog")


def downgrade() -> None:
    op.drop_index("ix_show_newest", "show", schema="catalog")

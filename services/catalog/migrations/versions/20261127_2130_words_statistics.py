"""Let the planner know the words of shows three times as well

It reckons how many shows are spelt like a word from the hundred texts that it knows of. When one of
them is by chance among the few that are, it takes them for a hundredth of all shows, and reads
nearly all in their order to find them: one in twenty times that the table was analysed.

Revision ID: 20261127_2130
Revises: 20261127_0600
"""

from alembic import op

revision = "20261127_2130"
down_revision = "20261127_0600"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE catalog.show_search ALTER COLUMN words SET STATISTICS 300")
    op.execute("ANALYZE catalog.show_search (words)")


def downgrade() -> None:
    op.execute("ALTER TABLE catalog.show_search ALTER COLUMN words SET STATISTICS -1")
    op.execute("ANALYZE catalog.show_search (words)")

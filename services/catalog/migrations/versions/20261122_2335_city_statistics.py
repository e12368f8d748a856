"""Let the planner know how many shows a city has, however it is written

It does not use what it knows of the column or of the partial index for `lower(city)`, takes every
city for a small one, and sorts all shows of a large one.

Revision ID: 20261122_2335
Revises: 20261122_2322
"""

from alembic import op

revision = "20261122_2335"
down_revision = "20261122_2322"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE STATISTICS catalog.show_city ON (lower(city)) FROM catalog.show")
    op.execute("ANALYZE catalog.show")


def downgrade() -> None:
    op.execute("DROP STATISTICS catalog.show_city")

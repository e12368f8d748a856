"""Offers stay: the service adds and rewrites them, it removes none

Revision ID: 20261122_2120
Revises: 20261122_2015
"""

from alembic import op

revision = "20261122_2120"
down_revision = "20261122_2015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("REVOKE DELETE ON booking.ticket_inventory FROM booking")


def downgrade() -> None:
    op.execute("GRANT DELETE ON booking.ticket_inventory TO booking")

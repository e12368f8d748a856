"""Creators of offers that came before terms were asked for

Revision ID: 20261122_2346
Revises: 20261122_2340

Until the worker has asked, within seconds, they are sold at the configured fee, as they were.
"""

from alembic import op

revision = "20261122_2346"
down_revision = "20261122_2340"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        INSERT INTO booking.creator_terms (creator_id, confirmed_at)
        SELECT DISTINCT creator_id, timestamptz 'epoch' FROM booking.ticket_inventory
        WHERE creator_id IS NOT NULL
        ON CONFLICT (creator_id) DO NOTHING
        """
    )


def downgrade() -> None:
    """Nothing: what is known by now was asked for."""

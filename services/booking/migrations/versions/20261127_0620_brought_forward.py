"""A kind of ledger entry for what is too old to be kept one by one

Revision ID: 20261127_0620
Revises: 20261127_0610

On its own, as Postgres lets nobody use a new value in the transaction that adds it.
"""

# squawk-ignore require-enum-value-ordering: nobody compares these values by order

from alembic import op

revision = "20261127_0620"
down_revision = "20261127_0610"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TYPE booking.ledger_kind ADD VALUE IF NOT EXISTS 'BROUGHT_FORWARD'")


def downgrade() -> None:
    """Leave the value: Postgres removes none, and without a row that has it nobody minds."""

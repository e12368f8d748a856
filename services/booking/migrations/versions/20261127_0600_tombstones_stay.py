"""Tombstones stay; a cancelled show need not say by whom

Revision ID: 20261127_0600
Revises: 20261127_0540
"""

# squawk-ignore ban-drop-not-null: no release before this one reads these rows

from alembic import op

revision = "20261127_0600"
down_revision = "20261127_0540"
branch_labels = None
depends_on = None

SCHEMA = "booking"
STATE = "state, counts, ended_at"


def upgrade() -> None:
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON booking.account_deletion FROM booking")
    op.execute(f"GRANT UPDATE ({STATE}) ON booking.account_deletion TO booking")
    op.alter_column("show_cancellation", "actor_id", nullable=True, schema=SCHEMA)


# Whom nobody knows any more cannot be written down again.
KEEP = """
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM booking.show_cancellation WHERE actor_id IS NULL) THEN
        RAISE EXCEPTION 'people were deleted: restore a backup instead of undoing this';
    END IF;
END $$
"""


def downgrade() -> None:
    op.execute(KEEP)
    op.alter_column("show_cancellation", "actor_id", nullable=False, schema=SCHEMA)
    op.execute(f"REVOKE UPDATE ({STATE}) ON booking.account_deletion FROM booking")
    op.execute("GRANT UPDATE, DELETE ON booking.account_deletion TO booking")

"""Index that answers what a show's bookings add up to

Revision ID: 20261123_0013
Revises: 20261123_0012
"""

# squawk-ignore require-concurrent-index-creation: before the first release, on empty tables
# squawk-ignore require-concurrent-index-deletion: before the first release, on empty tables

from alembic import op

revision = "20261123_0013"
down_revision = "20261123_0012"
branch_labels = None
depends_on = None

SCHEMA = "booking"
ADDED_UP = ["quantity", "ticket_total_paise", "convenience_fee_paise", "platform_fee_paise"]


def upgrade() -> None:
    op.create_index(
        "ix_booking_sums",
        "booking",
        ["show_id", "status"],
        schema=SCHEMA,
        postgresql_include=ADDED_UP,
    )
    op.drop_index("ix_booking_show_id_status", "booking", schema=SCHEMA)


def downgrade() -> None:
    op.create_index("ix_booking_show_id_status", "booking", ["show_id", "status"], schema=SCHEMA)
    op.drop_index("ix_booking_sums", "booking", schema=SCHEMA)

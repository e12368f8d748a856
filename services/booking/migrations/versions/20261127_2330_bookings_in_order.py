"""Indexes for bookings of a show in their order, and for those that were confirmed late

Revision ID: 20261127_2330
Revises: 20261127_1100

`ix_booking_sums` with one column more takes its place: who reads bookings of a show newest first, a
page at a time, walked through the bookings of all shows.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127_2330"
down_revision = "20261127_1100"
branch_labels = None
depends_on = None

SCHEMA = "booking"
ADDED_UP = ["quantity", "ticket_total_paise", "convenience_fee_paise", "platform_fee_paise"]


def upgrade() -> None:
    with op.get_context().autocommit_block():
        _drop_index("ix_booking_move_late", "booking_move")
        op.create_index(
            "ix_booking_move_late",
            "booking_move",
            ["booking_id"],
            schema=SCHEMA,
            postgresql_where=sa.text("from_status = 'FAILED'"),
            postgresql_concurrently=True,
        )
    _replace_index("ix_booking_sums", "ix_booking_show_id_status_id", ["show_id", "status", "id"])


def downgrade() -> None:
    with op.get_context().autocommit_block():
        _drop_index("ix_booking_move_late", "booking_move")
    _replace_index("ix_booking_show_id_status_id", "ix_booking_sums", ["show_id", "status"])


def _replace_index(old: str, new: str, columns: list[str]) -> None:
    with op.get_context().autocommit_block():
        _drop_index(new, "booking")  # what an attempt that failed has left; the old one is there
        op.create_index(
            new,
            "booking",
            columns,
            schema=SCHEMA,
            postgresql_include=ADDED_UP,
            postgresql_concurrently=True,
        )
        _drop_index(old, "booking")  # the last step of all: what fails before can be repeated


def _drop_index(name: str, table: str) -> None:
    op.drop_index(name, table, schema=SCHEMA, if_exists=True, postgresql_concurrently=True)

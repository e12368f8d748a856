"""More kinds of guarded changes

Revision ID: 20261122_2310
Revises: 20261122_2245
"""

# squawk-ignore require-enum-value-ordering: nobody compares these values by order

from alembic import op

revision = "20261122_2310"
down_revision = "20261122_2245"
branch_labels = None
depends_on = None

NEW_KINDS = ("UNPUBLISH", "EDIT", "SET_FEE", "CANCEL", "DELETE")


def upgrade() -> None:
    for kind in NEW_KINDS:
        op.execute(f"ALTER TYPE catalog.change_kind ADD VALUE '{kind}'")


def downgrade() -> None:
    """Take the kinds back, and with them what is stored about changes of these kinds."""
    kinds = ", ".join(f"'{kind}'" for kind in NEW_KINDS)
    op.execute(f"DELETE FROM catalog.show_change WHERE kind::text IN ({kinds})")  # noqa: S608
    op.execute("ALTER TYPE catalog.change_kind RENAME TO change_kind_before")
    op.execute("CREATE TYPE catalog.change_kind AS ENUM ('PUBLISH', 'RESCHEDULE')")
    op.execute(
        "ALTER TABLE catalog.show_change ALTER COLUMN kind "
        "TYPE catalog.change_kind USING kind::text::catalog.change_kind"
    )
    op.execute("DROP TYPE catalog.change_kind_before")

"""Changes whose actor is gone, and whether an upload has been stored

Revision ID: 20261127_0600
Revises: 20261127_0545
"""

# squawk-ignore ban-drop-not-null: no release before this one reads these rows
# squawk-ignore constraint-missing-not-valid: before the first release, on empty tables
# squawk-ignore require-concurrent-index-creation: before the first release, on empty tables

import sqlalchemy as sa
from alembic import op

revision = "20261127_0600"
down_revision = "20261127_0545"
branch_labels = None
depends_on = None

SCHEMA = "catalog"


def upgrade() -> None:
    op.add_column(
        "media", sa.Column("stored_at", sa.DateTime(timezone=True), nullable=True), schema=SCHEMA
    )
    op.alter_column("show_change", "actor_id", nullable=True, schema=SCHEMA)
    op.create_check_constraint(
        op.f("ck_show_change_open_has_an_actor"),
        "show_change",
        "status <> 'OPEN' OR actor_id IS NOT NULL",
        schema=SCHEMA,
    )
    op.create_index("ix_show_change_actor", "show_change", ["actor_id"], schema=SCHEMA)


def downgrade() -> None:
    op.drop_index("ix_show_change_actor", "show_change", schema=SCHEMA)
    op.drop_constraint("ck_show_change_open_has_an_actor", "show_change", schema=SCHEMA)
    # whoever it was is nobody's id
    op.execute("UPDATE catalog.show_change SET actor_id = gen_random_uuid() WHERE actor_id IS NULL")
    op.alter_column("show_change", "actor_id", nullable=False, schema=SCHEMA)
    op.drop_column("media", "stored_at", schema=SCHEMA)

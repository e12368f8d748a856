"""The release before respects standings too

Revision ID: 20261122_2340
Revises: 20261122_2320

Its processes sell through `reserve_v1` while the releases change. What stops a sale for ever closes
the offer, which they see; a creator's standing they would not.
"""

from alembic import op

revision = "20261122_2340"
down_revision = "20261122_2320"
branch_labels = None
depends_on = None

BEFORE = "WHEN NOT show.on_sale THEN"
AFTER = "WHEN NOT show.on_sale OR NOT show.creator_allowed THEN"


def upgrade() -> None:
    _replace(BEFORE, AFTER)


def downgrade() -> None:
    _replace(AFTER, BEFORE)


def _replace(old: str, new: str) -> None:
    op.execute(
        f"""
        DO $do$
        DECLARE
            definition text := pg_get_functiondef('booking.reserve_v1'::regproc);
        BEGIN
            IF strpos(definition, '{old}') = 0 THEN
                RAISE EXCEPTION 'reserve_v1 is not what this migration expects';
            END IF;
            EXECUTE replace(definition, '{old}', '{new}');
        END
        $do$
        """
    )

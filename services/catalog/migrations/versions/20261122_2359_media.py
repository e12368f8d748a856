"""Uploaded images

Revision ID: 20261122_2359
Revises: 20261122_2335
"""

# squawk-ignore require-concurrent-index-creation: before the first release, on empty tables

import sqlalchemy as sa
from alembic import op

revision = "20261122_2359"
down_revision = "20261122_2335"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "media",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("SHOW", "COMEDIAN", "PROFILE", name="media_kind", schema="catalog"),
            nullable=False,
        ),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("unused_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("condemned_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_media_sha256_is_a_hash")),
        sa.CheckConstraint("size > 0", name=op.f("ck_media_size_is_positive")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_media")),
        schema="catalog",
    )
    op.create_index("ix_media_owner", "media", ["owner_id", "created_at"], schema="catalog")
    op.create_index(
        "ix_media_review",
        "media",
        ["review_at"],
        schema="catalog",
        postgresql_where=sa.text("condemned_at IS NULL"),
    )
    op.create_index(
        "ix_media_condemned",
        "media",
        ["condemned_at"],
        schema="catalog",
        postgresql_where=sa.text("condemned_at IS NOT NULL"),
    )
    op.create_index(
        "ix_show_poster",
        "show",
        ["poster_image_url"],
        schema="catalog",
        postgresql_where=sa.text("poster_image_url IS NOT NULL"),
    )
    op.create_index(
        "ix_comedian_image",
        "comedian",
        ["profile_image_url"],
        schema="catalog",
        postgresql_where=sa.text("profile_image_url IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_comedian_image", "comedian", schema="catalog")
    op.drop_index("ix_show_poster", "show", schema="catalog")
    op.drop_table("media", schema="catalog")
    op.execute("DROP TYPE catalog.media_kind")

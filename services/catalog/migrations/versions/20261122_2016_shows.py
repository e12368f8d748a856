"""Shows, comedians, line-ups and guarded changes

Revision ID: 20261122_2016
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_2016"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "comedian",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("stage_name", sa.Text(), nullable=True),
        sa.Column("bio", sa.Text(), nullable=True),
        sa.Column("profile_image_url", sa.Text(), nullable=True),
        sa.Column("promo_video_url", sa.Text(), nullable=True),
        sa.Column("social_links", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("youtube_urls", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("instagram_urls", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "char_length(name) BETWEEN 1 AND 120", name=op.f("ck_comedian_name_fits")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comedian")),
        sa.UniqueConstraint("user_id", name=op.f("uq_comedian_user_id")),
        schema="catalog",
    )
    op.create_index("ix_comedian_created_by", "comedian", ["created_by"], schema="catalog")
    op.create_index("ix_comedian_name", "comedian", ["name", "id"], schema="catalog")
    op.create_table(
        "show",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("DRAFT", "PUBLISHED", "CANCELLED", name="show_status", schema="catalog"),
            nullable=False,
        ),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_minutes", sa.BigInteger(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("google_maps_link", sa.Text(), nullable=False),
        sa.Column("price_paise", sa.BigInteger(), nullable=False),
        sa.Column("capacity", sa.BigInteger(), nullable=False),
        sa.Column("poster_image_url", sa.Text(), nullable=True),
        sa.Column("youtube_urls", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("instagram_urls", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("platform_fee_basis_points", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("capacity BETWEEN 1 AND 100000", name=op.f("ck_show_capacity_in_range")),
        sa.CheckConstraint("cardinality(instagram_urls) <= 2", name=op.f("ck_show_few_posts")),
        sa.CheckConstraint("cardinality(youtube_urls) <= 1", name=op.f("ck_show_few_videos")),
        sa.CheckConstraint("char_length(title) BETWEEN 1 AND 200", name=op.f("ck_show_title_fits")),
        sa.CheckConstraint("char_length(venue) BETWEEN 1 AND 200", name=op.f("ck_show_venue_fits")),
        sa.CheckConstraint(
            "duration_minutes BETWEEN 1 AND 1440", name=op.f("ck_show_duration_in_range")
        ),
        sa.CheckConstraint(
            "platform_fee_basis_points BETWEEN 0 AND 10000",
            name=op.f("ck_show_platform_fee_is_a_share"),
        ),
        sa.CheckConstraint(
            "price_paise BETWEEN 0 AND 100000000", name=op.f("ck_show_price_in_range")
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_show_version_counts_from_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_show")),
        schema="catalog",
    )
    op.create_index("ix_show_creator", "show", ["creator_id", "starts_at", "id"], schema="catalog")
    op.create_index(
        "ix_show_published_date",
        "show",
        ["starts_at", "id"],
        schema="catalog",
        postgresql_where=sa.text("status = 'PUBLISHED'"),
    )
    op.create_index(
        "ix_show_published_price",
        "show",
        ["price_paise", "id"],
        schema="catalog",
        postgresql_where=sa.text("status = 'PUBLISHED'"),
    )
    op.create_index(
        "ix_show_published_newest",
        "show",
        ["created_at", "id"],
        schema="catalog",
        postgresql_where=sa.text("status = 'PUBLISHED'"),
    )
    op.create_table(
        "show_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("show_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("PUBLISH", "RESCHEDULE", name="change_kind", schema="catalog"),
            nullable=False,
        ),
        sa.Column("wish", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("OPEN", "APPLIED", "REFUSED", name="change_status", schema="catalog"),
            nullable=False,
        ),
        sa.Column("refusal_code", sa.Text(), nullable=True),
        sa.Column("refusal_text", sa.Text(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "requested_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'OPEN') = (decided_at IS NULL)",
            name=op.f("ck_show_change_decided_once_not_open"),
        ),
        sa.CheckConstraint(
            "(status = 'REFUSED') = (refusal_code IS NOT NULL)",
            name=op.f("ck_show_change_refused_with_a_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["show_id"],
            ["catalog.show.id"],
            name=op.f("fk_show_change_show_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_show_change")),
        sa.UniqueConstraint("show_id", "version", name=op.f("uq_show_change_show_id_version")),
        schema="catalog",
    )
    op.create_index(
        "uq_show_change_open",
        "show_change",
        ["show_id"],
        unique=True,
        schema="catalog",
        postgresql_where=sa.text("status = 'OPEN'"),
    )
    op.create_table(
        "show_comedian",
        sa.Column("show_id", sa.Uuid(), nullable=False),
        sa.Column("comedian_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "position >= 0", name=op.f("ck_show_comedian_position_counts_from_zero")
        ),
        sa.ForeignKeyConstraint(
            ["comedian_id"], ["catalog.comedian.id"], name=op.f("fk_show_comedian_comedian_id")
        ),
        sa.ForeignKeyConstraint(
            ["show_id"],
            ["catalog.show.id"],
            name=op.f("fk_show_comedian_show_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("show_id", "comedian_id", name=op.f("pk_show_comedian")),
        sa.UniqueConstraint("show_id", "position", name=op.f("uq_show_comedian_show_id_position")),
        schema="catalog",
    )
    op.create_index("ix_show_comedian_comedian", "show_comedian", ["comedian_id"], schema="catalog")


def downgrade() -> None:
    for table in ("show_comedian", "show_change", "show", "comedian"):
        op.drop_table(table, schema="catalog")
    for enum in ("change_status", "change_kind", "show_status"):
        op.execute(f"DROP TYPE catalog.{enum}")

"""People, sessions, approvals, service clients, signing keys

Revision ID: 20261122_2005
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_2005"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "identity"
ROLE = postgresql.ENUM(
    "AUDIENCE", "ORGANIZER", "COMEDIAN", "ADMIN", name="user_role", schema=SCHEMA, create_type=False
)
APPROVAL_STATUS = postgresql.ENUM(
    "PENDING",
    "APPROVED",
    "REJECTED",
    "REVOKED",
    name="approval_status",
    schema=SCHEMA,
    create_type=False,
)


def upgrade() -> None:
    ROLE.create(op.get_bind())
    APPROVAL_STATUS.create(op.get_bind())
    op.create_table(
        "user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("role", ROLE, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("image", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("age", sa.BigInteger()),
        sa.Column("city", sa.Text()),
        sa.Column("bio", sa.Text()),
        sa.Column("language", sa.Text()),
        _texts("interests"),
        sa.Column("watched_comedy", sa.Boolean()),
        sa.Column("heard_about_us", sa.Text()),
        sa.Column("onboarded_at", sa.DateTime(timezone=True)),
        _now("created_at"),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_user"),
        sa.CheckConstraint("email <> ''", name=op.f("ck_user_email_present")),
        sa.CheckConstraint("age BETWEEN 1 AND 120", name=op.f("ck_user_age_plausible")),
        schema=SCHEMA,
    )
    op.create_index("ix_user_email", "user", [sa.text("lower(email)")], schema=SCHEMA)
    op.create_table(
        "account",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        _now("created_at"),
        sa.PrimaryKeyConstraint("provider", "subject", name="pk_account"),
        _of_user("account"),
        sa.CheckConstraint("subject <> ''", name=op.f("ck_account_subject_present")),
        schema=SCHEMA,
    )
    op.create_index("ix_account_user_id", "account", ["user_id"], schema=SCHEMA)
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        _now("created_at"),
        _now("last_seen_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        sa.UniqueConstraint("token_hash", name="uq_session_token_hash"),
        _of_user("session"),
        sa.CheckConstraint(
            "expires_at <= ends_at", name=op.f("ck_session_use_prolongs_within_bounds")
        ),
        schema=SCHEMA,
    )
    op.create_index("ix_session_user_id", "session", ["user_id"], schema=SCHEMA)
    op.create_index("ix_session_expires_at", "session", ["expires_at"], schema=SCHEMA)
    op.create_table(
        "sign_in_attempt",
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("code_verifier", sa.Text(), nullable=False),
        sa.Column("callback_url", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name="pk_sign_in_attempt"),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_sign_in_attempt_expires_at", "sign_in_attempt", ["expires_at"], schema=SCHEMA
    )
    op.create_table(
        "organizer_profile",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("venue", sa.Text()),
        *_public_links(),
        _now("created_at"),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_organizer_profile"),
        sa.UniqueConstraint("user_id", name="uq_organizer_profile_user_id"),
        _of_user("organizer_profile"),
        schema=SCHEMA,
    )
    op.create_table(
        "comedian_profile",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("stage_name", sa.Text(), nullable=False),
        sa.Column("bio", sa.Text()),
        sa.Column("contact", sa.Text()),
        *_public_links(),
        _now("created_at"),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_comedian_profile"),
        sa.UniqueConstraint("user_id", name="uq_comedian_profile_user_id"),
        _of_user("comedian_profile"),
        schema=SCHEMA,
    )
    op.create_table(
        "approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("status", APPROVAL_STATUS, nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("admin_id", sa.Uuid()),
        _now("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_approval"),
        sa.UniqueConstraint("user_id", "number", name="uq_approval_user_id_number"),
        _of_user("approval"),
        sa.ForeignKeyConstraint(
            ["admin_id"], ["identity.user.id"], name="fk_approval_admin_id", ondelete="SET NULL"
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_approval_number_counts_from_one")),
        schema=SCHEMA,
    )
    op.create_index("ix_approval_admin_id", "approval", ["admin_id"], schema=SCHEMA)
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON identity.approval FROM identity")
    op.create_table(
        "service_client",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("grants", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_service_client"),
        schema=SCHEMA,
    )
    op.create_table(
        "service_client_secret",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        _now("created_at"),
        sa.PrimaryKeyConstraint("client_id", "secret_hash", name="pk_service_client_secret"),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["identity.service_client.id"],
            name="fk_service_client_secret_client_id",
            ondelete="CASCADE",
        ),
        schema=SCHEMA,
    )
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("encrypted_private_key", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _now("active_from"),
        sa.Column("published_until", sa.DateTime(timezone=True)),
        _now("created_at"),
        sa.PrimaryKeyConstraint("kid", name="pk_signing_key"),
        sa.CheckConstraint(
            "published_until > active_from", name=op.f("ck_signing_key_published_while_active")
        ),
        schema=SCHEMA,
    )


def downgrade() -> None:
    for table in (
        "signing_key",
        "service_client_secret",
        "service_client",
        "approval",
        "comedian_profile",
        "organizer_profile",
        "sign_in_attempt",
        "session",
        "account",
        "user",
    ):
        op.drop_table(table, schema=SCHEMA)
    APPROVAL_STATUS.drop(op.get_bind())
    ROLE.drop(op.get_bind())


def _now(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)


def _texts(name: str) -> sa.Column:
    return sa.Column(name, postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)


def _public_links() -> list[sa.Column]:
    links = postgresql.JSONB(astext_type=sa.Text())
    return [_texts("youtube_urls"), _texts("instagram_urls"), sa.Column("social_links", links)]


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id"], ["identity.user.id"], name=f"fk_{table}_user_id", ondelete="CASCADE"
    )

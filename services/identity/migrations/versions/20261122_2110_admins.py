"""Admins: second factor, audit log, creators' own platform fee

Revision ID: 20261122_2110
Revises: 20261122_2050
"""

# squawk-ignore constraint-missing-not-valid: before the first release, on empty tables

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_2110"
down_revision = "20261122_2050"
branch_labels = None
depends_on = None

SCHEMA = "identity"
PROFILES = ("organizer_profile", "comedian_profile")


def upgrade() -> None:
    op.add_column("session", sa.Column("second_factor_at", _instant()), schema=SCHEMA)
    for profile in PROFILES:
        op.add_column(
            profile, sa.Column("platform_fee_basis_points", sa.BigInteger()), schema=SCHEMA
        )
        op.create_check_constraint(
            op.f(f"ck_{profile}_fee_is_a_share"),
            profile,
            "platform_fee_basis_points BETWEEN 0 AND 10000",
            schema=SCHEMA,
        )
    op.create_table(
        "admin_password",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        _now("created_at"),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("user_id", name="pk_admin_password"),
        _of_user("admin_password"),
        schema=SCHEMA,
    )
    op.create_table(
        "password_attempts",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        _now("last_at"),
        sa.Column("blocked_until", _instant()),
        sa.PrimaryKeyConstraint("key", name="pk_password_attempts"),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_password_attempts_failures_counted")),
        schema=SCHEMA,
    )
    op.create_index("ix_password_attempts_last_at", "password_attempts", ["last_at"], schema=SCHEMA)
    op.create_table(
        "audit_person",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_audit_person"),
        sa.UniqueConstraint("reference", name="uq_audit_person_reference"),
        _of_user("audit_person"),
        schema=SCHEMA,
    )
    _create_audit_entry()


def _create_audit_entry() -> None:
    document = postgresql.JSONB(astext_type=sa.Text())
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor", sa.Uuid()),
        sa.Column("subject", sa.Uuid()),
        sa.Column("before", document),
        sa.Column("after", document),
        sa.Column("request_id", sa.Text()),
        _now("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
        sa.CheckConstraint("action <> ''", name=op.f("ck_audit_entry_action_present")),
        schema=SCHEMA,
    )
    op.create_index("ix_audit_entry_actor_id", "audit_entry", ["actor", "id"], schema=SCHEMA)
    op.create_index("ix_audit_entry_subject_id", "audit_entry", ["subject", "id"], schema=SCHEMA)
    op.create_index("ix_audit_entry_created_at", "audit_entry", ["created_at"], schema=SCHEMA)
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON identity.audit_entry FROM identity")


def downgrade() -> None:
    for table in ("audit_entry", "audit_person", "password_attempts", "admin_password"):
        op.drop_table(table, schema=SCHEMA)
    for profile in PROFILES:
        op.drop_column(profile, "platform_fee_basis_points", schema=SCHEMA)
    op.drop_column("session", "second_factor_at", schema=SCHEMA)


def _instant() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _now(name: str) -> sa.Column:
    return sa.Column(name, _instant(), server_default=sa.func.now(), nullable=False)


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id"], ["identity.user.id"], name=f"fk_{table}_user_id", ondelete="CASCADE"
    )

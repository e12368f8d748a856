"""Tables of the identity service."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.deletions import DeletionState
from identity_service.domain.people import MAX_AGE, Role
from service_kit.database import TableBase, schema_metadata
from service_kit.shared_counts import CountColumns

SCHEMA = "identity"
FEE_IS_A_SHARE = "platform_fee_basis_points BETWEEN 0 AND 10000"
ROLE = Enum(Role, name="user_role", schema=SCHEMA)
DELETION_STATE = Enum(DeletionState, name="deletion_state", schema=SCHEMA)
APPROVAL_STATUS = Enum(ApprovalStatus, name="approval_status", schema=SCHEMA)


class Base(TableBase):
    """Tables in the schema `identity`."""

    __abstract__ = True
    metadata = schema_metadata(SCHEMA)


class UserRow(Base):
    """A person. The e-mail is the provider's word and not unique: the account is who it is."""

    __tablename__ = "user"
    __table_args__ = (
        CheckConstraint("email <> ''", name="email_present"),
        CheckConstraint(f"age BETWEEN 1 AND {MAX_AGE}", name="age_plausible"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[Role] = mapped_column(ROLE)
    email: Mapped[str]
    name: Mapped[str | None]
    image: Mapped[str | None]
    phone: Mapped[str | None]
    age: Mapped[int | None]
    city: Mapped[str | None]
    bio: Mapped[str | None]
    language: Mapped[str | None]
    interests: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    watched_comedy: Mapped[bool | None]
    heard_about_us: Mapped[str | None]
    onboarded_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]  # the deletion that is under way; nobody is signed in meanwhile
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


Index("ix_user_email", func.lower(UserRow.email))


class AccountRow(Base):
    """Who a person is at a sign-in provider."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint("subject <> ''", name="subject_present"),)

    provider: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey(UserRow.id, ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SessionRow(Base):
    """A browser's sign-in. `expires_at` moves on with use, `ends_at` never does."""

    __tablename__ = "session"
    __table_args__ = (CheckConstraint("expires_at <= ends_at", name="use_prolongs_within_bounds"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey(UserRow.id, ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    second_factor_at: Mapped[datetime | None]


class ApiTokenRow(Base):
    """What a script shows instead of a session; it never lasts longer than it was made for."""

    __tablename__ = "api_token"
    __table_args__ = (
        CheckConstraint("name <> ''", name="name_present"),
        CheckConstraint("expires_at > created_at", name="expires"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey(UserRow.id, ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SignInAttemptRow(Base):
    """A sign-in on its way; taken, and thereby removed, by the callback that completes it."""

    __tablename__ = "sign_in_attempt"

    state_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary)
    nonce: Mapped[str]
    code_verifier: Mapped[str]
    callback_url: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class CreatorProfileRow(Base):
    """What is stored of every creator, the platform fee agreed upon included, if any."""

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey(UserRow.id, ondelete="CASCADE"), unique=True)
    contact: Mapped[str | None]
    youtube_urls: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    instagram_urls: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    social_links: Mapped[dict[str, str] | None] = mapped_column(JSONB(none_as_null=True))
    platform_fee_basis_points: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class OrganizerProfileRow(CreatorProfileRow):
    """What an organizer tells about itself."""

    __tablename__ = "organizer_profile"
    __table_args__ = (CheckConstraint(FEE_IS_A_SHARE, name="fee_is_a_share"),)

    name: Mapped[str]
    description: Mapped[str | None]
    venue: Mapped[str | None]


class ComedianProfileRow(CreatorProfileRow):
    """What a comedian tells about herself."""

    __tablename__ = "comedian_profile"
    __table_args__ = (CheckConstraint(FEE_IS_A_SHARE, name="fee_is_a_share"),)

    stage_name: Mapped[str]
    bio: Mapped[str | None]


PROFILE_ROWS: Mapping[Role, type[CreatorProfileRow]] = MappingProxyType(
    {Role.ORGANIZER: OrganizerProfileRow, Role.COMEDIAN: ComedianProfileRow}
)


class ApprovalRow(Base):
    """An entry in the history of a creator's standing; entries are added, never changed."""

    __tablename__ = "approval"
    __table_args__ = (
        UniqueConstraint("user_id", "number"),
        CheckConstraint("number > 0", name="number_counts_from_one"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey(UserRow.id, ondelete="CASCADE"))
    number: Mapped[int]
    status: Mapped[ApprovalStatus] = mapped_column(APPROVAL_STATUS)
    reason: Mapped[str | None]
    admin_id: Mapped[UUID | None] = mapped_column(
        ForeignKey(UserRow.id, ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class StandingRow(Base):
    """Whether a creator's shows may be on sale, as the other services were told last."""

    __tablename__ = "standing"
    __table_args__ = (CheckConstraint("version > 0", name="version_counts_from_one"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey(UserRow.id, ondelete="CASCADE"), unique=True)
    allowed: Mapped[bool]
    version: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AdminPasswordRow(Base):
    """An admin's second factor: the argon2id hash of a password."""

    __tablename__ = "admin_password"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey(UserRow.id, ondelete="CASCADE"), primary_key=True
    )
    password_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class PasswordAttemptsRow(Base):
    """Wrong passwords of late: of an account, from an address, of an account from an address."""

    __tablename__ = "password_attempts"
    __table_args__ = (CheckConstraint("failures >= 0", name="failures_counted"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(server_default="0")
    last_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    blocked_until: Mapped[datetime | None]


class AuditPersonRow(Base):
    """Whom a reference in the audit log means; gone with the person, so that it means nobody."""

    __tablename__ = "audit_person"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey(UserRow.id, ondelete="CASCADE"), primary_key=True
    )
    reference: Mapped[UUID] = mapped_column(unique=True)


class AuditEntryRow(Base):
    """Something that was done; entries are added, never changed, and hold no personal data."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index(None, "actor", "id"),
        Index(None, "subject", "id"),
        CheckConstraint("action <> ''", name="action_present"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    action: Mapped[str]
    actor: Mapped[UUID | None]
    subject: Mapped[UUID | None]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    request_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class AccountDeletionRow(Base):
    """A deletion; it names the person only until it is over, then a keyed hash is left."""

    __tablename__ = "account_deletion"
    __table_args__ = (
        CheckConstraint("octet_length(person_hash) = 32", name="hash_is_sha256"),
        CheckConstraint(
            "(state IN ('REFUSED', 'COMPLETED')) = (ended_at IS NOT NULL)", name="ends_once"
        ),
        CheckConstraint(
            "state = 'REFUSED' OR (state IN ('PURGED', 'COMPLETED')) = (person_id IS NULL)",
            name="nobody_left_at_the_end",
        ),
        Index(
            "uq_account_deletion_open",
            "person_hash",
            unique=True,
            postgresql_where=text("state NOT IN ('REFUSED', 'PURGED', 'COMPLETED')"),
        ),
        Index(
            "ix_account_deletion_under_way",
            "moved_at",
            postgresql_where=text("state NOT IN ('REFUSED', 'COMPLETED')"),
        ),
        Index("ix_account_deletion_person_id", "person_id"),
        Index("ix_account_deletion_requested_at", "requested_at", "saga_id"),
    )

    saga_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID | None]  # not a foreign key: after a restore the person may be gone
    person_hash: Mapped[bytes] = mapped_column(LargeBinary)
    link_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)  # of the link to its state
    state: Mapped[DeletionState] = mapped_column(DELETION_STATE)
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    attempt: Mapped[int] = mapped_column(server_default="1")
    requested_at: Mapped[datetime] = mapped_column(server_default=func.now())
    decided_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    moved_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AccountDeletionStepRow(Base):
    """A step of a deletion that was begun, and how it goes."""

    __tablename__ = "account_deletion_step"
    __table_args__ = (CheckConstraint("failures >= 0", name="failures_counted"),)

    saga_id: Mapped[UUID] = mapped_column(
        ForeignKey(AccountDeletionRow.saga_id, ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    done_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    problem: Mapped[str | None]
    counts: Mapped[dict[str, int] | None] = mapped_column(JSONB(none_as_null=True))


class ErasureKeyRow(Base):
    """By what the key is recognised under which all deletions here are remembered; one row."""

    __tablename__ = "erasure_key"
    __table_args__ = (
        CheckConstraint("is_the_only_one", name="only_one"),
        CheckConstraint("octet_length(key_check) = 32", name="check_is_sha256"),
    )

    is_the_only_one: Mapped[bool] = mapped_column(primary_key=True, server_default=true())
    key_check: Mapped[bytes] = mapped_column(LargeBinary)


class ServiceClientRow(Base):
    """A service that may fetch tokens, and the scopes it may have: audience → scopes."""

    __tablename__ = "service_client"

    id: Mapped[str] = mapped_column(primary_key=True)
    grants: Mapped[dict[str, Any]] = mapped_column(JSONB)
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class ServiceClientSecretRow(Base):
    """A secret of a service client; while one is being replaced, two are valid."""

    __tablename__ = "service_client_secret"

    client_id: Mapped[str] = mapped_column(
        ForeignKey(ServiceClientRow.id, ondelete="CASCADE"), primary_key=True
    )
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SigningKeyRow(Base):
    """A key that tokens are signed with from `active_from` on, by whichever key is newest then.

    It is published before that, and until `published_until`, when nothing it signed is valid.
    """

    __tablename__ = "signing_key"
    __table_args__ = (
        CheckConstraint("published_until > active_from", name="published_while_active"),
    )

    kid: Mapped[str] = mapped_column(primary_key=True)
    encrypted_private_key: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[dict[str, Any]] = mapped_column(JSONB)
    active_from: Mapped[datetime] = mapped_column(server_default=func.now())
    published_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RateCountRow(CountColumns, Base):
    """How often somebody, known by a keyed hash only, asked for something in a minute."""

    __tablename__ = "rate_count"

"""Tables of the config service."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Enum, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from config_service.domain.deletions import DeletionState
from service_kit.database import TableBase, schema_metadata
from service_kit.shared_counts import CountColumns


class Base(TableBase):
    """Tables in the schema `config`."""

    __abstract__ = True
    metadata = schema_metadata("config")


class FeeScheduleVersionRow(Base):
    """One version of the fee schedule; versions are added, never changed or removed."""

    __tablename__ = "fee_schedule_version"
    __table_args__ = (
        CheckConstraint("version > 0", name="version_counts_from_one"),
        CheckConstraint(
            "platform_fee_basis_points BETWEEN 0 AND 10000", name="platform_fee_is_a_share"
        ),
    )

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    platform_fee_basis_points: Mapped[int]
    slabs: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    effective_from: Mapped[datetime] = mapped_column(server_default=func.now())
    author: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SettingVersionRow(Base):
    """One version of any other setting; versions are added, never changed or removed."""

    __tablename__ = "setting_version"
    __table_args__ = (CheckConstraint("version > 0", name="version_counts_from_one"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[dict[str, Any]] = mapped_column(JSONB)
    effective_from: Mapped[datetime]
    author: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AuthorRow(Base):
    """Whom the author of a version stands for; without this row nobody knows any more."""

    __tablename__ = "author"
    __table_args__ = (UniqueConstraint("user_id", name="uq_author_user_id"),)

    reference: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]


class AccountDeletionRow(Base):
    """A person's deletion as this service knows it; of the person it holds a keyed hash only.

    PURGED is a tombstone: whatever would write the person's id looks here first, in its own
    transaction. LIFTED stays, so that a late fence of that deletion is refused.
    """

    __tablename__ = "account_deletion"
    __table_args__ = (
        CheckConstraint("octet_length(person_hash) = 32", name="hash_is_sha256"),
        CheckConstraint("(state = 'FENCED') = (ended_at IS NULL)", name="ends_once"),
        Index(
            "uq_account_deletion_person_hash",
            "person_hash",
            unique=True,
            postgresql_where=text("state <> 'LIFTED'"),
        ),
    )

    saga_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_hash: Mapped[bytes]
    state: Mapped[DeletionState] = mapped_column(
        Enum(DeletionState, name="deletion_state", schema="config")
    )
    counts: Mapped[dict[str, int] | None] = mapped_column(
        JSONB(none_as_null=True)
    )  # what the purge came to
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]


class RateCountRow(CountColumns, Base):
    """How often somebody, known by a keyed hash only, asked for something in a minute."""

    __tablename__ = "rate_count"

"""Tables of the catalog."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from catalog_service.domain.changes import ChangeKind, ChangeStatus
from catalog_service.domain.comedians import MAX_NAME
from catalog_service.domain.deletions import DeletionState
from catalog_service.domain.media import MediaKind
from catalog_service.domain.shows import (
    MAX_CAPACITY,
    MAX_DURATION_MINUTES,
    MAX_INSTAGRAM_URLS,
    MAX_PRICE_RUPEES,
    MAX_TITLE,
    MAX_VENUE,
    MAX_YOUTUBE_URLS,
    ShowStatus,
)
from service_kit.database import TableBase, schema_metadata
from service_kit.shared_counts import CountColumns


class Base(TableBase):
    """Tables in the schema `catalog`."""

    __abstract__ = True
    metadata = schema_metadata("catalog")


def _enum(
    kind: type[ShowStatus | ChangeKind | ChangeStatus | MediaKind | DeletionState], name: str
) -> Enum:
    return Enum(kind, name=name, schema="catalog", metadata=Base.metadata)


class ShowRow(Base):
    """A show; what a change that is not decided yet asks for is not in here."""

    __tablename__ = "show"
    __table_args__ = (
        CheckConstraint(f"char_length(title) BETWEEN 1 AND {MAX_TITLE}", name="title_fits"),
        CheckConstraint(f"char_length(venue) BETWEEN 1 AND {MAX_VENUE}", name="venue_fits"),
        CheckConstraint(
            f"price_paise BETWEEN 0 AND {MAX_PRICE_RUPEES * 100}", name="price_in_range"
        ),
        CheckConstraint(f"capacity BETWEEN 1 AND {MAX_CAPACITY}", name="capacity_in_range"),
        CheckConstraint(
            f"duration_minutes BETWEEN 1 AND {MAX_DURATION_MINUTES}", name="duration_in_range"
        ),
        CheckConstraint(
            "platform_fee_basis_points BETWEEN 0 AND 10000", name="platform_fee_is_a_share"
        ),
        CheckConstraint(f"cardinality(youtube_urls) <= {MAX_YOUTUBE_URLS}", name="few_videos"),
        CheckConstraint(f"cardinality(instagram_urls) <= {MAX_INSTAGRAM_URLS}", name="few_posts"),
        CheckConstraint("version > 0", name="version_counts_from_one"),
        Index(
            "ix_show_published_date",
            "starts_at",
            "id",
            postgresql_where=text("status = 'PUBLISHED'"),
        ),
        Index(
            "ix_show_published_price",
            "price_paise",
            "id",
            postgresql_where=text("status = 'PUBLISHED'"),
        ),
        Index(
            "ix_show_published_newest",
            "created_at",
            "id",
            postgresql_where=text("status = 'PUBLISHED'"),
        ),
        Index(
            "ix_show_published_city",
            text("lower(city)"),
            "starts_at",
            "id",
            postgresql_where=text("status = 'PUBLISHED'"),
        ),
        Index("ix_show_newest", "created_at", "id"),
        Index("ix_show_creator", "creator_id", "starts_at", "id"),
        Index(
            "ix_show_poster",
            "poster_image_url",
            postgresql_where=text("poster_image_url IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    status: Mapped[ShowStatus] = mapped_column(_enum(ShowStatus, "show_status"))
    title: Mapped[str]
    description: Mapped[str | None]
    starts_at: Mapped[datetime]
    duration_minutes: Mapped[int]
    venue: Mapped[str]
    city: Mapped[str]
    google_maps_link: Mapped[str]
    price_paise: Mapped[int]
    capacity: Mapped[int]
    poster_image_url: Mapped[str | None]
    youtube_urls: Mapped[list[str]] = mapped_column(ARRAY(Text))
    instagram_urls: Mapped[list[str]] = mapped_column(ARRAY(Text))
    platform_fee_basis_points: Mapped[int | None]
    creator_id: Mapped[UUID]
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class CreatorStandingRow(Base):
    """What identity said about a creator; without a row the creator is allowed."""

    __tablename__ = "creator_standing"
    __table_args__ = (
        CheckConstraint("version > 0", name="version_counts_from_one"),
        Index(
            "ix_creator_standing_not_allowed",
            "creator_id",
            postgresql_where=text("allowed IS false"),
        ),
    )

    creator_id: Mapped[UUID] = mapped_column(primary_key=True)
    allowed: Mapped[bool]
    version: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ComedianRow(Base):
    """A directory entry about a comedian, with or without an account of the comedian's own."""

    __tablename__ = "comedian"
    __table_args__ = (
        CheckConstraint(f"char_length(name) BETWEEN 1 AND {MAX_NAME}", name="name_fits"),
        UniqueConstraint("user_id"),
        Index("ix_comedian_name", "name", "id"),
        Index("ix_comedian_created_by", "created_by"),
        Index(
            "ix_comedian_image",
            "profile_image_url",
            postgresql_where=text("profile_image_url IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    stage_name: Mapped[str | None]
    bio: Mapped[str | None]
    profile_image_url: Mapped[str | None]
    promo_video_url: Mapped[str | None]
    social_links: Mapped[dict[str, str]] = mapped_column(JSONB)
    youtube_urls: Mapped[list[str]] = mapped_column(ARRAY(Text))
    instagram_urls: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_by: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ShowComedianRow(Base):
    """One place on the bill of a show."""

    __tablename__ = "show_comedian"
    __table_args__ = (
        UniqueConstraint("show_id", "position"),
        CheckConstraint("position >= 0", name="position_counts_from_zero"),
        Index("ix_show_comedian_comedian", "comedian_id"),
    )

    show_id: Mapped[UUID] = mapped_column(
        ForeignKey(ShowRow.id, ondelete="CASCADE"), primary_key=True
    )
    comedian_id: Mapped[UUID] = mapped_column(ForeignKey(ComedianRow.id), primary_key=True)
    position: Mapped[int]


class ShowSearchRow(Base):
    """What a show can be found by; triggers keep it right, nobody else writes it.

    They run at the end of a transaction. Whoever renames a comedian has locked the entry against
    being put on a bill meanwhile (`ComedianRepository.lock_for`).
    """

    __tablename__ = "show_search"
    __table_args__ = (
        Index(
            "ix_show_search_document",
            "document",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        ),
        Index(
            "ix_show_search_words",
            "words",
            postgresql_using="gin",
            postgresql_ops={"words": "extensions.gin_trgm_ops"},
            postgresql_with={"fastupdate": "off"},
        ),
    )

    show_id: Mapped[UUID] = mapped_column(
        ForeignKey(ShowRow.id, ondelete="CASCADE"), primary_key=True
    )
    document: Mapped[str] = mapped_column(TSVECTOR)  # all words: of the description as well
    words: Mapped[str]  # of title, venue, city and performers, folded


class ShowChangeRow(Base):
    """A guarded change; at most one of a show is open, and each has a version of its own."""

    __tablename__ = "show_change"
    __table_args__ = (
        UniqueConstraint("show_id", "version"),
        Index(
            "uq_show_change_open",
            "show_id",
            unique=True,
            postgresql_where=text("status = 'OPEN'"),
        ),
        CheckConstraint("(status = 'OPEN') = (decided_at IS NULL)", name="decided_once_not_open"),
        CheckConstraint(
            "(status = 'REFUSED') = (refusal_code IS NOT NULL)", name="refused_with_a_reason"
        ),
        CheckConstraint("status <> 'OPEN' OR actor_id IS NOT NULL", name="open_has_an_actor"),
        Index("ix_show_change_actor", "actor_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    show_id: Mapped[UUID] = mapped_column(ForeignKey(ShowRow.id, ondelete="CASCADE"))
    kind: Mapped[ChangeKind] = mapped_column(_enum(ChangeKind, "change_kind"))
    wish: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int]
    status: Mapped[ChangeStatus] = mapped_column(_enum(ChangeStatus, "change_status"))
    refusal_code: Mapped[str | None]
    refusal_text: Mapped[str | None]
    actor_id: Mapped[UUID | None]  # null once that account is gone
    requested_at: Mapped[datetime] = mapped_column(server_default=func.now())
    decided_at: Mapped[datetime | None]


class MediaRow(Base):
    """An upload: kept while something shows it, removed a day after nothing does any more.

    Whoever makes something show it locks its row, so that it is not removed meanwhile.
    """

    __tablename__ = "media"
    __table_args__ = (
        CheckConstraint("size > 0", name="size_is_positive"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_is_a_hash"),
        Index("ix_media_owner", "owner_id", "created_at"),
        Index("ix_media_review", "review_at", postgresql_where=text("condemned_at IS NULL")),
        Index(
            "ix_media_condemned", "condemned_at", postgresql_where=text("condemned_at IS NOT NULL")
        ),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID]
    kind: Mapped[MediaKind] = mapped_column(_enum(MediaKind, "media_kind"))
    size: Mapped[int]
    sha256: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    stored_at: Mapped[datetime | None]  # null: perhaps it is only about to be
    unused_since: Mapped[datetime | None]  # null: attached, as far as it is known
    review_at: Mapped[datetime]  # when it is looked at next, whether anything shows it
    condemned_at: Mapped[datetime | None]  # from then on nothing may show it, and it is removed


class AccountDeletionRow(Base):
    """A person's deletion as this service knows it; of the person it holds a keyed hash only.

    FENCED and PURGED are tombstones: whatever would write the person's id looks here first, in its
    own transaction. LIFTED stays, so that a late fence of that deletion is refused.
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
    state: Mapped[DeletionState] = mapped_column(_enum(DeletionState, "deletion_state"))
    # what went since the purge began
    counts: Mapped[dict[str, int] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]


class FencedPersonRow(Base):
    """Whose shows are hidden because the account is being deleted; gone when that has ended."""

    __tablename__ = "fenced_person"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)


class RateCountRow(CountColumns, Base):
    """How often somebody, known by a keyed hash only, asked for something in a minute."""

    __tablename__ = "rate_count"

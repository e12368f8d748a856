"""Tables of the booking service. Amounts are whole paise, rates basis points, times UTC."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Enum,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from booking_service.domain.bookings import BookingStatus
from booking_service.domain.deletions import DeletionState
from booking_service.domain.notices import NoticeKind, NoticeOutcome
from booking_service.domain.payments import PaymentStatus, Verdict
from booking_service.domain.refunds import RefundReason, RefundStatus
from booking_service.domain.settlement import LedgerKind
from service_kit.database import TableBase, schema_metadata
from service_kit.shared_counts import CountColumns

_BOOKING_STATUS = Enum(BookingStatus, name="booking_status", schema="booking")


class Base(TableBase):
    """Tables in the schema `booking`."""

    __abstract__ = True
    metadata = schema_metadata("booking")


class TicketInventoryRow(Base):
    """The one row per show that all its buyers compete for, with the offer it is sold under."""

    __tablename__ = "ticket_inventory"
    __table_args__ = (
        CheckConstraint("available + locked + sold = capacity", name="seats_add_up"),
        CheckConstraint("available >= 0 AND locked >= 0 AND sold >= 0", name="no_seat_twice"),
        CheckConstraint("price_paise >= 0", name="price_not_negative"),
        CheckConstraint("version > 0", name="version_counts_from_one"),
        CheckConstraint("platform_fee_basis_points BETWEEN 0 AND 10000", name="fee_is_a_share"),
        CheckConstraint(
            "creator_fee_basis_points BETWEEN 0 AND 10000", name="creators_fee_is_a_share"
        ),
        CheckConstraint("cancelled_at IS NULL OR NOT on_sale", name="cancelled_for_ever"),
        Index("ix_ticket_inventory_creator_id", "creator_id"),
    )

    show_id: Mapped[UUID] = mapped_column(primary_key=True)
    capacity: Mapped[int]
    available: Mapped[int]
    locked: Mapped[int] = mapped_column(server_default="0")
    sold: Mapped[int] = mapped_column(server_default="0")
    version: Mapped[int]
    creator_id: Mapped[UUID | None]
    title: Mapped[str]
    venue: Mapped[str]
    city: Mapped[str]
    poster_image_url: Mapped[str | None]
    starts_at: Mapped[datetime]
    duration_minutes: Mapped[int]
    price_paise: Mapped[int]
    platform_fee_basis_points: Mapped[int | None]
    on_sale: Mapped[bool]
    creator_allowed: Mapped[bool] = mapped_column(server_default="true")
    creator_fee_basis_points: Mapped[int | None]
    moved_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ShowCancellationRow(Base):
    """That a show was cancelled: by whom, why, and whether all its bookings are."""

    __tablename__ = "show_cancellation"

    show_id: Mapped[UUID] = mapped_column(ForeignKey(TicketInventoryRow.show_id), primary_key=True)
    version: Mapped[int]
    reason: Mapped[str]
    actor_id: Mapped[UUID | None]  # null: whoever it was is gone
    total: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    completed_at: Mapped[datetime | None]


class CreatorStandingRow(Base):
    """What identity last said of a creator; its effect is on the rows of the creator's shows."""

    __tablename__ = "creator_standing"
    __table_args__ = (CheckConstraint("version > 0", name="version_counts_from_one"),)

    creator_id: Mapped[UUID] = mapped_column(primary_key=True)
    allowed: Mapped[bool]
    version: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class CreatorTermsRow(Base):
    """What identity last said was agreed with a creator; in force on the rows of the shows."""

    __tablename__ = "creator_terms"
    __table_args__ = (
        CheckConstraint("platform_fee_basis_points BETWEEN 0 AND 10000", name="fee_is_a_share"),
    )

    creator_id: Mapped[UUID] = mapped_column(primary_key=True)
    platform_fee_basis_points: Mapped[int | None]
    confirmed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class DeletedOfferRow(Base):
    """A show that catalog deleted: late news of it are not stored any more."""

    __tablename__ = "deleted_offer"

    show_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    deleted_at: Mapped[datetime] = mapped_column(server_default=func.now())


class BookingRow(Base):
    """Tickets of one show for one person; amounts and rates never change after the insert."""

    __tablename__ = "booking"
    __table_args__ = (
        CheckConstraint("quantity BETWEEN 1 AND 10", name="quantity_in_limits"),
        CheckConstraint(
            "ticket_total_paise = unit_price_paise * quantity", name="total_is_product"
        ),
        CheckConstraint(
            "convenience_fee_paise >= 0 AND platform_fee_paise >= 0", name="fees_not_negative"
        ),
        CheckConstraint("status <> 'PENDING' OR expires_at IS NOT NULL", name="a_hold_ends"),
        Index(
            "ix_booking_hold",
            "show_id",
            "expires_at",
            postgresql_where=text("status = 'PENDING'"),
        ),
        Index(
            "ix_booking_held_by",
            "user_id",
            "expires_at",
            postgresql_where=text("status = 'PENDING'"),
        ),
        Index("ix_booking_user_id_id", "user_id", text("id DESC")),
        Index(
            "ix_booking_retain_until",
            "retain_until",
            postgresql_where=text("retain_until IS NOT NULL"),
        ),
        Index(
            "ix_booking_show_id_status_id",
            "show_id",
            "status",
            "id",
            postgresql_include=[
                "quantity",
                "ticket_total_paise",
                "convenience_fee_paise",
                "platform_fee_paise",
            ],
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    show_id: Mapped[UUID] = mapped_column(ForeignKey(TicketInventoryRow.show_id))
    user_id: Mapped[UUID]  # with `retain_until`: a random reference to somebody who is gone
    quantity: Mapped[int]
    unit_price_paise: Mapped[int]
    ticket_total_paise: Mapped[int]
    convenience_fee_basis_points: Mapped[int]
    convenience_fee_paise: Mapped[int]
    platform_fee_basis_points: Mapped[int]
    platform_fee_paise: Mapped[int]
    fee_schedule_version: Mapped[int]
    settings_version: Mapped[int | None]
    refund_policy: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    status: Mapped[BookingStatus] = mapped_column(_BOOKING_STATUS)
    expires_at: Mapped[datetime | None]
    retain_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class BookingMoveRow(Base):
    """That a booking went from one state to another; written by a trigger that knows the edges."""

    __tablename__ = "booking_move"
    __table_args__ = (
        Index("ix_booking_move_booking_id", "booking_id"),
        Index(
            "ix_booking_move_late", "booking_id", postgresql_where=text("from_status = 'FAILED'")
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey(BookingRow.id))
    from_status: Mapped[BookingStatus] = mapped_column(_BOOKING_STATUS)
    to_status: Mapped[BookingStatus] = mapped_column(_BOOKING_STATUS)
    moved_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RefundRow(Base):
    """Captured money that a buyer gets back; amounts never change after the insert."""

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint(
            "ticket_paise >= 0 AND convenience_fee_paise >= 0"
            " AND ticket_paise + convenience_fee_paise > 0",
            name="something_is_refunded",
        ),
        UniqueConstraint("provider_refund_id"),
        Index("ix_refund_open", "updated_at", postgresql_where=text("status <> 'DONE'")),
        Index("ix_refund_booking_id", "booking_id"),
        Index(
            "uq_refund_of_cancellation",
            "booking_id",
            unique=True,
            postgresql_where=text("reason <> 'LATE_CAPTURE'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey(BookingRow.id))
    reason: Mapped[RefundReason] = mapped_column(
        Enum(RefundReason, name="refund_reason", schema="booking")
    )
    ticket_paise: Mapped[int]
    convenience_fee_paise: Mapped[int]
    status: Mapped[RefundStatus] = mapped_column(
        Enum(RefundStatus, name="refund_status", schema="booking")
    )
    payment_id: Mapped[str | None]  # null: of the payment by which the booking was confirmed
    attempt: Mapped[int] = mapped_column(server_default="1")
    provider_refund_id: Mapped[str | None]  # of this attempt
    failure: Mapped[str | None]  # why the newest attempt that failed did
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PaymentOrderRow(Base):
    """What a provider was told to collect for a booking, and when it is asked about it next."""

    __tablename__ = "payment_order"
    __table_args__ = (
        CheckConstraint("amount_paise > 0", name="amount_positive"),
        UniqueConstraint("booking_id"),
        Index(
            "ix_payment_order_check_at",
            "check_at",
            postgresql_where=text("check_at IS NOT NULL"),
        ),
    )

    order_id: Mapped[str] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey(BookingRow.id))
    provider: Mapped[str]
    key_id: Mapped[str]
    amount_paise: Mapped[int]
    currency: Mapped[str]
    check_at: Mapped[datetime | None]  # null: nothing is expected of it any more
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PaymentRow(Base):
    """An attempt to pay an order; once captured, its verdict and amount never change."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint(
            "(status = 'CAPTURED') = (verdict IS NOT NULL)", name="a_capture_has_its_verdict"
        ),
        Index("ix_payment_order_id", "order_id"),
        Index(
            "uq_payment_that_confirmed",
            "order_id",
            unique=True,
            postgresql_where=text("verdict = 'CONFIRMED'"),
        ),
    )

    payment_id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey(PaymentOrderRow.order_id))
    amount_paise: Mapped[int]
    currency: Mapped[str]
    status: Mapped[PaymentStatus] = mapped_column(
        Enum(PaymentStatus, name="payment_status", schema="booking")
    )
    verdict: Mapped[Verdict | None] = mapped_column(
        Enum(Verdict, name="payment_verdict", schema="booking")
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PaymentNewsRow(Base):
    """Inbox: something happened to an order or a refund; the provider is asked what it is now.

    Webhooks carry the payer's address and phone number, so their bodies are not kept.
    """

    __tablename__ = "payment_news"
    __table_args__ = (
        UniqueConstraint("digest"),
        Index("ix_payment_news_order_id", "order_id"),
        Index("ix_payment_news_open", "received_at", postgresql_where=text("handled_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[str]  # of the body: the same news again is not new
    event: Mapped[str]
    order_id: Mapped[str | None]
    payment_id: Mapped[str | None]
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    handled_at: Mapped[datetime | None]


class TicketKeyRow(Base):
    """A key that signs the tickets of bookings made from `active_from` on; never removed."""

    __tablename__ = "ticket_key"
    __table_args__ = (
        CheckConstraint("octet_length(public_key) = 32", name="public_key_is_ed25519"),
    )

    kid: Mapped[str] = mapped_column(primary_key=True)
    public_key: Mapped[bytes]
    encrypted_private_key: Mapped[bytes]
    active_from: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AdmissionRow(Base):
    """That a seat of a booking was let in; names nobody."""

    __tablename__ = "admission"
    __table_args__ = (CheckConstraint("seat BETWEEN 1 AND 10", name="seat_in_limits"),)

    booking_id: Mapped[UUID] = mapped_column(ForeignKey(BookingRow.id), primary_key=True)
    seat: Mapped[int] = mapped_column(primary_key=True)
    nonce: Mapped[str]
    by_admin: Mapped[bool]
    admitted_at: Mapped[datetime]


class LedgerPersonRow(Base):
    """Whom the ledger, which is never changed, means; without the row nobody knows any more."""

    __tablename__ = "ledger_person"
    __table_args__ = (UniqueConstraint("user_id"),)

    reference: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]


class LedgerEntryRow(Base):
    """A change of what a show's creator is owed; never changed itself.

    When a booking need not be kept any longer, its rows are added up (`discard_old_v1`).
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        CheckConstraint(
            "(kind IN ('DISBURSEMENT', 'BROUGHT_FORWARD')) = (booking_id IS NULL)"
            " AND (kind = 'DISBURSEMENT') = (actor IS NOT NULL)"
            " AND (kind = 'DISBURSEMENT' OR paid_out_paise = 0)",
            name="says_what_its_kind_says",
        ),
        CheckConstraint(
            "CASE WHEN kind IN ('CAPTURE', 'BROUGHT_FORWARD') THEN"
            " least(ticket_paise, convenience_fee_paise, platform_fee_paise) >= 0"
            " WHEN kind = 'REFUND' THEN"
            " greatest(ticket_paise, convenience_fee_paise, platform_fee_paise) <= 0"
            " ELSE ticket_paise = 0 AND convenience_fee_paise = 0 AND platform_fee_paise = 0"
            " AND paid_out_paise >= 0 END",
            name="has_the_sign_of_its_kind",
        ),
        Index(
            "ix_ledger_entry_show_id",
            "show_id",
            postgresql_include=["ticket_paise", "platform_fee_paise", "paid_out_paise"],
        ),
        Index(
            "uq_ledger_entry_booking_id_kind",
            "booking_id",
            "kind",
            unique=True,
            postgresql_where=text("booking_id IS NOT NULL"),
        ),
        Index(
            "uq_ledger_entry_disbursement",
            "show_id",
            unique=True,
            postgresql_where=text("kind = 'DISBURSEMENT'"),
        ),
        Index(
            "uq_ledger_entry_brought_forward",
            "show_id",
            unique=True,
            postgresql_where=text("kind = 'BROUGHT_FORWARD'"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    show_id: Mapped[UUID] = mapped_column(ForeignKey(TicketInventoryRow.show_id))
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey(BookingRow.id))
    kind: Mapped[LedgerKind] = mapped_column(Enum(LedgerKind, name="ledger_kind", schema="booking"))
    ticket_paise: Mapped[int] = mapped_column(server_default="0")
    convenience_fee_paise: Mapped[int] = mapped_column(server_default="0")
    platform_fee_paise: Mapped[int] = mapped_column(server_default="0")
    paid_out_paise: Mapped[int] = mapped_column(server_default="0")
    actor: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class NoticeRow(Base):
    """Something that the buyer of a booking is told by mail, in a batch of such; names nobody."""

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("(kind = 'REFUNDED') = (refund_id IS NOT NULL)", name="says_which_refund"),
        CheckConstraint("(done_at IS NULL) = (outcome IS NULL)", name="done_with_an_outcome"),
        UniqueConstraint(
            "booking_id", "kind", "refund_id", name="uq_notice", postgresql_nulls_not_distinct=True
        ),
        Index("ix_notice_waiting", "id", postgresql_where=text("batch_id IS NULL")),
        Index("ix_notice_being_sent", "batch_id", postgresql_where=text("done_at IS NULL")),
        Index("ix_notice_open", "created_at", postgresql_where=text("done_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey(BookingRow.id, ondelete="CASCADE"))
    kind: Mapped[NoticeKind] = mapped_column(Enum(NoticeKind, name="notice_kind", schema="booking"))
    refund_id: Mapped[UUID | None]
    batch_id: Mapped[UUID | None]  # null: nobody sends it yet
    outcome: Mapped[NoticeOutcome | None] = mapped_column(
        Enum(NoticeOutcome, name="notice_outcome", schema="booking")
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    done_at: Mapped[datetime | None]


class NoticeScanRow(Base):
    """The one row that says up to when sales were looked through for what to tell of."""

    __tablename__ = "notice_scan"
    __table_args__ = (CheckConstraint("sole", name="one_row"),)

    sole: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    began_at: Mapped[datetime] = mapped_column(server_default=func.now())  # older ones are not told
    found_until: Mapped[datetime] = mapped_column(server_default=func.now())


class BuyerShowRow(Base):
    """How many active tickets of a show one person has: the limit per person rests on this row."""

    __tablename__ = "buyer_show"
    __table_args__ = (CheckConstraint("active >= 0", name="active_not_negative"),)

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    show_id: Mapped[UUID] = mapped_column(ForeignKey(TicketInventoryRow.show_id), primary_key=True)
    active: Mapped[int]


class IdempotencyKeyRow(Base):
    """What a request took effect as, for its repeats; refused requests leave no row."""

    __tablename__ = "idempotency_key"
    __table_args__ = (Index("ix_idempotency_key_created_at", "created_at"),)

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    operation: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


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
    state: Mapped[DeletionState] = mapped_column(
        Enum(DeletionState, name="deletion_state", schema="booking")
    )
    counts: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  # what the purge came to
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]


class PlatformSettingsRow(Base):
    """Settings received from the config service beside the fees; the newest version is used."""

    __tablename__ = "platform_settings"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    confirmed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class FeeScheduleRow(Base):
    """Fee schedules received from the config service; the newest version is used."""

    __tablename__ = "fee_schedule"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    platform_fee_basis_points: Mapped[int]
    slabs: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    confirmed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RateCountRow(CountColumns, Base):
    """How often somebody, known by a keyed hash only, asked for something in a minute."""

    __tablename__ = "rate_count"

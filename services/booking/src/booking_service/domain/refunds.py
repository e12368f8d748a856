"""What a buyer gets back (docs/rules.md#refunds)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from booking_service.domain.pricing import BASIS_POINTS, share_of

RIGHT_AFTER_MOVE = timedelta(days=7)
LEAST_PAISE = 100  # that a provider sends back; nobody pays less


class RefundReason(Enum):
    """Why money goes back; the values are the database's."""

    BUYER_CANCELLED = "BUYER_CANCELLED"
    SHOW_MOVED = "SHOW_MOVED"
    SHOW_CANCELLED = "SHOW_CANCELLED"
    LATE_CAPTURE = "LATE_CAPTURE"  # captured when the booking was over


class RefundStatus(Enum):
    """How far a refund is; the values are the wire's and the database's."""

    DUE = "DUE"  # owed; the provider was not asked yet
    SENT = "SENT"
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Money:
    """What is paid or given back: the tickets' part, and the convenience fee's."""

    ticket_paise: int
    convenience_fee_paise: int

    @property
    def total_paise(self) -> int:
        """Both parts together."""
        return self.ticket_paise + self.convenience_fee_paise


NOTHING = Money(0, 0)


@dataclass(frozen=True, slots=True)
class Refund:
    """Captured money that a buyer gets back, as the buyer is shown it."""

    amount_paise: int
    status: RefundStatus


@dataclass(frozen=True, slots=True)
class RefundTier:
    """The share of the tickets that is refunded up to so many hours before the start."""

    hours_before_start: int
    basis_points: int


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """What a buyer who cancels gets back; tiers are sorted, the longest time first.

    Raises:
        ValueError: nobody could be refunded by these.
    """

    tiers: tuple[RefundTier, ...]
    refunds_convenience_fee: bool

    def __post_init__(self) -> None:
        hours = [tier.hours_before_start for tier in self.tiers]
        if hours != sorted(set(hours), reverse=True) or any(each < 0 for each in hours):
            raise ValueError("tiers must be sorted, the longest time first")
        if not all(0 <= tier.basis_points <= BASIS_POINTS for tier in self.tiers):
            raise ValueError("a refund must be a share")


DEFAULT_POLICY = RefundPolicy((RefundTier(24, BASIS_POINTS),), refunds_convenience_fee=False)
"""What holds until the config service has said anything."""


def read_policy(document: Mapping[str, Any]) -> RefundPolicy:
    """Return a policy as the config service writes it.

    Raises:
        KeyError, TypeError, ValueError: it cannot be read.
    """
    return RefundPolicy(
        tuple(
            RefundTier(int(tier["hoursBeforeStart"]), int(tier["basisPoints"]))
            for tier in document["tiers"]
        ),
        refunds_convenience_fee=document["refundsConvenienceFee"] is True,
    )


def stored_policy(document: Mapping[str, Any]) -> RefundPolicy:
    """Return a policy as a booking keeps it."""
    return RefundPolicy(
        tuple(RefundTier(**tier) for tier in document["tiers"]),
        refunds_convenience_fee=document["refunds_convenience_fee"],
    )


def refund_by_policy(
    policy: RefundPolicy, paid: Money, *, starts_at: datetime, now: datetime
) -> Money:
    """Return what a buyer who cancels gets back: the share of the first tier that still holds.

    Each part is rounded half up, once; less than `LEAST_PAISE` together becomes that much. After
    the last tier it is nothing.
    """
    for tier in policy.tiers:
        if now <= starts_at - timedelta(hours=tier.hours_before_start):
            fee = paid.convenience_fee_paise if policy.refunds_convenience_fee else 0
            refund = Money(
                share_of(paid.ticket_paise, tier.basis_points), share_of(fee, tier.basis_points)
            )
            if 0 < refund.total_paise < LEAST_PAISE:
                fee = refund.convenience_fee_paise
                return Money(min(paid.ticket_paise, LEAST_PAISE - fee), fee)
            return refund
    return NOTHING


def has_right_after_move(
    *, booked_at: datetime, moved_at: datetime | None, starts_at: datetime, now: datetime
) -> bool:
    """Return whether a show moved under a buyer so recently that all the money can be had back."""
    if moved_at is None or booked_at > moved_at:
        return False
    return now < min(moved_at + RIGHT_AFTER_MOVE, starts_at)


def reference_of(refund_id: UUID, attempt: int) -> str:
    """Return our name for an attempt at a refund; the provider makes one refund of a name."""
    return f"{refund_id}-{attempt}"


def attempt_named(reference: str | None) -> tuple[UUID, int] | None:
    """Return the refund and the attempt of a name, None if it is none of ours."""
    refund_id, _, attempt = (reference or "").rpartition("-")
    try:
        return UUID(refund_id), int(attempt)
    except ValueError:
        return None

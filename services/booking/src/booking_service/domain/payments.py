"""Payments as their provider reports them, and what follows (docs/rules.md#payments)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

CURRENCY = "INR"


class PaymentStatus(Enum):
    """How far an attempt to pay got, and whether there is money to take.

    What the buyer has back in full is FAILED; a capture that is written down stays one.
    """

    CREATED = "CREATED"  # the bank has not said anything yet
    FAILED = "FAILED"
    AUTHORIZED = "AUTHORIZED"  # set aside by the bank; given back if nobody captures it
    CAPTURED = "CAPTURED"


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """What the provider was told to collect for a booking; one a booking, never changed."""

    id: str
    booking_id: UUID
    amount_paise: int
    currency: str
    provider: str
    key_id: str  # by which a browser names the merchant at the provider


@dataclass(frozen=True, slots=True)
class Payment:
    """One attempt to pay an order, as the provider reports it now."""

    id: str
    order_id: str
    amount_paise: int
    currency: str
    status: PaymentStatus

    def fits(self, order: PaymentOrder) -> bool:
        """Return whether this is a payment of the order, of its amount in its currency."""
        return (self.order_id, self.amount_paise, self.currency) == (
            order.id,
            order.amount_paise,
            order.currency,
        )


class ProviderRefundStatus(Enum):
    """How far the provider got with a refund."""

    PENDING = "PENDING"
    PROCESSED = "PROCESSED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class ProviderRefund:
    """A refund as the provider reports it now; `reference` is our name for it."""

    id: str
    payment_id: str
    amount_paise: int
    status: ProviderRefundStatus
    reference: str | None


class Verdict(Enum):
    """What a captured payment led to; but for the first: the money goes back in full."""

    CONFIRMED = "CONFIRMED"
    WRONG_AMOUNT = "WRONG_AMOUNT"
    PAID_ALREADY = "PAID_ALREADY"
    TOO_LATE = "TOO_LATE"  # the booking is over, and its seats are not to be had any more


def all_failed(payments: Sequence[Payment]) -> bool:
    """Return whether it was tried to pay, and no attempt can succeed any more."""
    return bool(payments) and all(each.status is PaymentStatus.FAILED for each in payments)

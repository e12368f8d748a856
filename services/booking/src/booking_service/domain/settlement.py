"""What a show's creator is owed (docs/rules.md#settlement). Money is whole paise."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from booking_service.domain.pricing import share_of
from booking_service.domain.refunds import Money


class LedgerKind(Enum):
    """What a row of a show's ledger says; the values are the database's."""

    CAPTURE = "CAPTURE"
    REFUND = "REFUND"
    DISBURSEMENT = "DISBURSEMENT"
    BROUGHT_FORWARD = "BROUGHT_FORWARD"  # the sum of old rows that are gone with their bookings


@dataclass(frozen=True, slots=True)
class Entry:
    """By how much a booking's money changes what was earned with its show."""

    kind: LedgerKind
    money: Money
    platform_fee_paise: int


@dataclass(frozen=True, slots=True)
class Disbursement:
    """That a show's creator was paid out."""

    amount_paise: int
    disbursed_at: datetime


def captured(price: Money, *, platform_fee_basis_points: int) -> Entry:
    """Return the entry of a booking that was paid for."""
    fee = share_of(price.ticket_paise, platform_fee_basis_points)
    return Entry(LedgerKind.CAPTURE, price, fee)


def refunded(price: Money, given_back: Money, *, platform_fee_basis_points: int) -> Entry:
    """Return the entry of a booking's refund: the platform keeps its fee on what remains only.

    That fee is rounded half up anew, so that both entries add up to it.
    """
    remains = price.ticket_paise - given_back.ticket_paise
    before = share_of(price.ticket_paise, platform_fee_basis_points)
    after = share_of(remains, platform_fee_basis_points)
    money = Money(-given_back.ticket_paise, -given_back.convenience_fee_paise)
    return Entry(LedgerKind.REFUND, money, after - before)

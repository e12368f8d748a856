"""Bookings as support looks them up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking_service.domain.bookings import BookingStatus


@dataclass(frozen=True, slots=True)
class FoundBooking:
    """Anybody's booking, with what came in and went back for it."""

    id: UUID
    show_id: UUID
    show_title: str
    starts_at: datetime
    buyer_id: UUID
    quantity: int
    ticket_total_paise: int
    convenience_fee_paise: int
    status: BookingStatus
    created_at: datetime
    refunded_paise: int  # owed or arrived
    payment_ids: Sequence[str]

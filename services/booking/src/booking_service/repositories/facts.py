"""What idempotency keys keep: the answer that a repeated request has."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from booking_service.domain.bookings import BookedShow, Booking, BookingStatus
from booking_service.domain.payments import PaymentOrder
from booking_service.domain.refunds import Refund
from booking_service.domain.settlement import Disbursement


def to_facts(booking: Booking) -> dict[str, Any]:
    """Return what is kept of a booking; `reserve_v4` writes the same, but for the last two."""
    show = booking.show
    return {
        "id": str(booking.id),
        "quantity": booking.quantity,
        "ticket_total_paise": booking.ticket_total_paise,
        "convenience_fee_paise": booking.convenience_fee_paise,
        "platform_fee_paise": booking.platform_fee_paise,
        "status": booking.status.value,
        "created_at": booking.created_at.isoformat(),
        "expires_at": booking.expires_at and booking.expires_at.isoformat(),
        "show": {
            "id": str(show.id),
            "title": show.title,
            "starts_at": show.starts_at.isoformat(),
            "venue": show.venue,
            "price_paise": show.price_paise,
            "poster_image_url": show.poster_image_url,
        },
        "refunds": [
            {"amount_paise": refund.amount_paise, "status": refund.status.value}
            for refund in booking.refunds
        ],
        "payment": booking.payment
        and {**asdict(booking.payment), "booking_id": str(booking.payment.booking_id)},
    }


class _Facts(msgspec.Struct):
    id: UUID
    show: BookedShow
    quantity: int
    ticket_total_paise: int
    convenience_fee_paise: int
    platform_fee_paise: int
    status: BookingStatus
    created_at: datetime
    expires_at: datetime | None
    refunds: tuple[Refund, ...] = ()
    payment: PaymentOrder | None = None


_decode = msgspec.json.Decoder(_Facts).decode


def from_facts(facts: dict[str, Any] | str) -> Booking:
    """Return the booking of which these facts were kept; a text is their JSON."""
    kept = _decode(facts) if isinstance(facts, str) else msgspec.convert(facts, _Facts)
    return Booking(
        id=kept.id,
        show=kept.show,
        quantity=kept.quantity,
        ticket_total_paise=kept.ticket_total_paise,
        convenience_fee_paise=kept.convenience_fee_paise,
        platform_fee_paise=kept.platform_fee_paise,
        status=kept.status,
        created_at=kept.created_at,
        expires_at=kept.expires_at,
        refunds=kept.refunds,
        payment=kept.payment,
    )


def disbursement_to_facts(show_id: UUID, paid: Disbursement) -> dict[str, Any]:
    """Return what is kept of a payout."""
    return {
        "show_id": str(show_id),
        "amount_paise": paid.amount_paise,
        "disbursed_at": paid.disbursed_at.isoformat(),
    }


def disbursement_from_facts(facts: dict[str, Any]) -> Disbursement:
    """Return the payout of which these facts were kept."""
    return msgspec.convert(facts, Disbursement)

"""Bookings as idempotency keys keep them: the answer that a repeated request has."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from booking_service.domain.bookings import BookedShow, Booking, BookingStatus
from booking_service.domain.payments import PaymentOrder
from booking_service.domain.refunds import Refund, RefundStatus


def to_facts(booking: Booking) -> dict[str, Any]:
    """Return what is kept of a booking; `reserve_v3` writes the same, but for the last two."""
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


def from_facts(facts: dict[str, Any]) -> Booking:
    """Return the booking of which these facts were kept."""
    show = facts["show"]
    expires_at = facts["expires_at"]
    payment = facts.get("payment")
    return Booking(
        id=UUID(facts["id"]),
        show=BookedShow(
            id=UUID(show["id"]),
            title=show["title"],
            starts_at=datetime.fromisoformat(show["starts_at"]),
            venue=show["venue"],
            price_paise=show["price_paise"],
            poster_image_url=show["poster_image_url"],
        ),
        quantity=facts["quantity"],
        ticket_total_paise=facts["ticket_total_paise"],
        convenience_fee_paise=facts["convenience_fee_paise"],
        platform_fee_paise=facts["platform_fee_paise"],
        status=BookingStatus(facts["status"]),
        created_at=datetime.fromisoformat(facts["created_at"]),
        expires_at=expires_at and datetime.fromisoformat(expires_at),
        refunds=tuple(
            Refund(refund["amount_paise"], RefundStatus(refund["status"]))
            for refund in facts.get("refunds", ())
        ),
        payment=payment and PaymentOrder(**{**payment, "booking_id": UUID(payment["booking_id"])}),
    )

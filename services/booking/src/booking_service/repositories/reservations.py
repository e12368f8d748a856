"""The sale of tickets: one call of one SQL function, in which locks are taken in a fixed order."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from booking_service.domain import errors
from booking_service.domain.bookings import (
    BookedShow,
    Booking,
    BookingStatus,
    IdempotencyKey,
)
from booking_service.domain.pricing import Quote
from booking_service.domain.sale_rules import SaleRules

OPERATION = "POST /api/v1/bookings"  # a key names a request of one person to one operation
IN_FLIGHT_SQLSTATE = "BK001"

_RESERVE = text("SELECT n, outcome, facts FROM booking.reserve_v2(:requests)")
_RELEASE_EXPIRED = text("SELECT booking.release_expired_v1(:show_id)")

_REFUSALS: dict[str, tuple[type[errors.BookingError], str]] = {
    "UNKNOWN_SHOW": (errors.ShowNotFound, "This show does not exist."),
    "NOT_ON_SALE": (errors.ShowNotOnSale, "Tickets for this show are not on sale."),
    "STARTED": (errors.ShowStarted, "This show has started, its sale is over."),
    "SOLD_OUT": (errors.SoldOut, "Not enough tickets are left for this show."),
    "KEY_REUSED": (
        errors.KeyReused,
        "This Idempotency-Key was used for a different request. Use a new one.",
    ),
    "TERMS_MOVED": (errors.TermsMoved, "The offer is changing right now. Please try again."),
}


@dataclass(frozen=True, slots=True)
class Order:
    """What a buyer asks for, at the terms that were read; the sale holds only if they still are."""

    booking_id: UUID
    show_id: UUID
    buyer_id: UUID
    quote: Quote
    own_platform_fee_basis_points: int | None
    rules: SaleRules
    status: BookingStatus  # PENDING: the seats are held for `rules.hold`, by the database's clock
    expected_total_paise: int | None
    key: IdempotencyKey | None

    @property
    def too_large(self) -> bool:
        """Whether one booking may not have so many tickets."""
        return self.quote.quantity > self.rules.limits.per_booking


class ReservationRepository:
    """Takes seats and writes bookings; nothing else moves the counters of a show."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def reserve(self, order: Order) -> Booking:
        """Take the seats and write the booking, or take nothing.

        With a key that took effect before, returns that first booking as it was then, also if the
        limits are narrower by now: only a new booking is judged by them.

        Raises:
            BookingError: the named refusal; nothing was written.
            TermsMoved: price or rate are no longer those of the order; read them again.
        """
        try:
            row = self._session.execute(
                _RESERVE, {"requests": json.dumps([_request(1, order)])}
            ).one()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == IN_FLIGHT_SQLSTATE:
                raise errors.RequestInFlight(
                    "This request is still being worked on. Please ask again in a moment."
                ) from error
            raise
        if row.outcome == "RESERVED":
            return _booking(row.facts)
        raise _refusal(row.outcome, order)

    def release_expired(self, show_id: UUID) -> int:
        """Give the seats of a show's ended holds back; return how many holds ended.

        Locks the show's row. A hold is released once, however often this is called.
        """
        return int(self._session.scalar(_RELEASE_EXPIRED, {"show_id": show_id}) or 0)


def _refusal(outcome: str, order: Order) -> errors.BookingError:
    limits = order.rules.limits
    if outcome == "PRICE_CHANGED":
        return errors.PriceChanged(order.quote)
    if outcome == "TOO_LARGE":
        return errors.BookingTooLarge.than(limits.per_booking)
    if outcome == "LIMIT_REACHED":
        return errors.TicketLimitReached(
            f"One person may have at most {limits.per_person_and_show} tickets for a show."
        )
    refusal, message = _REFUSALS[outcome]
    return refusal(message)


def _request(number: int, order: Order) -> dict[str, Any]:
    quote = order.quote
    return {
        "n": number,
        "booking_id": str(order.booking_id),
        "show_id": str(order.show_id),
        "user_id": str(order.buyer_id),
        "quantity": quote.quantity,
        "operation": OPERATION,
        "key": order.key and order.key.value,
        "fingerprint": order.key and order.key.fingerprint,
        "status": order.status.value,
        "hold_seconds": int(order.rules.hold.total_seconds()),
        "too_large": order.too_large,
        "person_limit": order.rules.limits.per_person_and_show,
        "unit_price_paise": quote.unit_price_paise,
        "own_platform_fee_basis_points": order.own_platform_fee_basis_points,
        "expected_total_paise": order.expected_total_paise,
        "grand_total_paise": quote.grand_total_paise,
        "ticket_total_paise": quote.ticket_total_paise,
        "convenience_fee_basis_points": quote.slab.basis_points,
        "convenience_fee_paise": quote.convenience_fee_paise,
        "platform_fee_basis_points": quote.platform_fee_basis_points,
        "platform_fee_paise": quote.platform_fee_paise,
        "fee_schedule_version": quote.fee_schedule_version,
        "settings_version": order.rules.version,
        "refund_policy": asdict(order.rules.refund_policy),
    }


def _booking(facts: dict[str, Any]) -> Booking:
    show = facts["show"]
    expires_at = facts["expires_at"]
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
    )

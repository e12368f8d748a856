"""Selling tickets."""

from uuid import UUID

from uuid_utils.compat import uuid7

from booking_service.domain.bookings import (
    Booking,
    IdempotencyKey,
    Payments,
    initial_status,
)
from booking_service.domain.errors import ShowNotFound, TermsMoved
from booking_service.domain.pricing import quote
from booking_service.repositories.box_office import BoxOffice, Order
from booking_service.repositories.fee_schedules import CurrentFees
from booking_service.repositories.platform_settings import CurrentRules

TERMS_ATTEMPTS = 3


def reserve_tickets(
    box_office: BoxOffice,
    fees: CurrentFees,
    rules: CurrentRules,
    *,
    show_id: UUID,
    buyer_id: UUID,
    quantity: int,
    expected_total_paise: int | None = None,
    key: IdempotencyKey | None = None,
    payments: Payments = Payments.AT_VENUE,
) -> Booking:
    """Book tickets of a show for a buyer, at the price and fees of this moment.

    What is to be paid online is `PENDING` for the configured time. With a key: repeating the
    request within 24 hours returns the first booking and takes nothing.

    Raises:
        ShowNotFound, ShowNotOnSale, ShowStarted: this show cannot be booked.
        AccountClosed: the buyer's account is being deleted.
        SoldOut: fewer than `quantity` tickets are left.
        TicketLimitReached: the buyer would hold more tickets of the show than one person may.
        TooManyHeld: it is to be paid online, and the buyer would hold too many unpaid tickets.
        BookingTooLarge: one booking may not have so many tickets.
        PriceChanged: the total, fee included, is not `expected_total_paise`.
        KeyReused: the key belongs to a different request.
        RequestInFlight: the first request with this key has not ended yet.
        FeesUnavailable: the fees were never received.
        TermsMoved: the offer changed several times meanwhile.
    """
    schedule, rules_now = fees.current(), rules.current()
    for attempt in range(1, TERMS_ATTEMPTS + 1):
        terms = box_office.terms(show_id)
        if terms is None:
            raise ShowNotFound("This show does not exist.")
        price = quote(
            unit_price_paise=terms.price_paise,
            quantity=quantity,
            schedule=schedule,
            own_platform_fee_basis_points=terms.own_platform_fee_basis_points,
        )
        order = Order(
            booking_id=uuid7(),
            show_id=show_id,
            buyer_id=buyer_id,
            quote=price,
            own_platform_fee_basis_points=terms.own_platform_fee_basis_points,
            rules=rules_now,
            status=initial_status(price.grand_total_paise, payments),
            expected_total_paise=expected_total_paise,
            key=key,
        )
        try:
            return box_office.reserve(order)
        except TermsMoved:
            if attempt == TERMS_ATTEMPTS:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")

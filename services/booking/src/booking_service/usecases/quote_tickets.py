"""Naming a price before buying."""

from uuid import UUID

from booking_service.domain.errors import (
    BookingTooLarge,
    ShowNotFound,
    ShowNotOnSale,
    ShowStarted,
)
from booking_service.domain.pricing import Quote, quote
from booking_service.repositories.fee_schedules import CurrentFees
from booking_service.repositories.platform_settings import CurrentRules
from booking_service.repositories.transaction import Begin


def quote_tickets(
    read: Begin, fees: CurrentFees, rules: CurrentRules, *, show_id: UUID, quantity: int
) -> Quote:
    """Return what tickets of a show cost now: the lines a booking made now would store.

    Raises:
        ShowNotFound: there is no such show.
        ShowNotOnSale, ShowStarted: its tickets are not on sale, or not any more.
        BookingTooLarge: one booking may not have so many tickets.
        FeesUnavailable: the fees were never received.
    """
    schedule = fees.current()
    with read() as tx:
        inventory = tx.inventory.of(show_id)
        started = tx.inventory.has_started(show_id)
    if inventory is None:
        raise ShowNotFound("This show does not exist.")
    if not inventory.on_sale:
        raise ShowNotOnSale("Tickets for this show are not on sale.")
    if started:
        raise ShowStarted("This show has started, its sale is over.")
    if quantity > (most := rules.current().limits.per_booking):
        raise BookingTooLarge.than(most)
    return quote(
        unit_price_paise=inventory.offer.price_paise,
        quantity=quantity,
        schedule=schedule,
        own_platform_fee_basis_points=inventory.own_platform_fee_basis_points,
    )

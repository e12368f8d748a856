"""Having the provider collect what a booking costs."""

from datetime import timedelta
from uuid import UUID

import structlog

from booking_service.clients.payments import ProviderRefused
from booking_service.domain.bookings import Booking, BookingStatus, IdempotencyKey
from booking_service.domain.errors import PaymentsUnavailable
from booking_service.domain.payments import PaymentOrder
from booking_service.repositories.payments import Unordered
from booking_service.usecases.desk import Desk
from booking_service.usecases.fail_booking import fail_booking
from booking_service.usecases.one_by_one import one_by_one
from service_kit.peers import PeerUnavailable

log = structlog.get_logger(__name__)

CUT_OFF_AFTER = timedelta(seconds=10)  # longer than any request takes
CUT_OFF_AT_ONCE = 50


def open_payment(desk: Desk, *, booking: Booking, key: IdempotencyKey | None) -> PaymentOrder:
    """Return the order by which a PENDING booking is paid: always the same one.

    If there can be none, the hold ends and its key is forgotten: the next try is judged afresh.

    Raises:
        PaymentsUnavailable: there is no order, and the booking is over.
    """
    with desk.begin() as tx:
        order = tx.payments.order_for(booking.id)
    if order is not None:
        return order
    total = booking.ticket_total_paise + booking.convenience_fee_paise
    try:
        order = _open(desk, booking.id, total)
    except (PeerUnavailable, ProviderRefused) as error:
        log.warning("no payment order", booking=str(booking.id), reason=str(error))
    order = order or _give_up(desk, booking.id, key)
    if order is None:
        raise PaymentsUnavailable(
            "Payments cannot be taken at the moment. Nothing was booked; please try again."
        )
    return order


def open_cut_off(desk: Desk) -> int:
    """Open the orders of holds whose request was cut off before it could; return how many.

    A hold for which the provider will not open one ends.

    Raises:
        PeerUnavailable: the provider could not be asked for one or more of them.
    """
    with desk.begin() as tx:
        holds = tx.payments.unordered(for_at_least=CUT_OFF_AFTER, limit=CUT_OFF_AT_ONCE)
    return one_by_one(holds, lambda hold: _open_or_give_up(desk, hold))


def _open_or_give_up(desk: Desk, hold: Unordered) -> None:
    try:
        _open(desk, hold.booking_id, hold.amount_paise)
    except ProviderRefused as refusal:
        log.warning("no payment order", booking=str(hold.booking_id), reason=str(refusal))
        _give_up(desk, hold.booking_id, None)


def _open(desk: Desk, booking_id: UUID, amount_paise: int) -> PaymentOrder | None:
    """Open an order and return the one that is stored; None if the hold has ended meanwhile."""
    order = desk.provider.open_order(booking_id, amount_paise=amount_paise)
    with desk.begin() as tx:
        booking = tx.reservations.take_in_hand(booking_id)
        if booking is not None and booking.status is BookingStatus.PENDING:
            tx.payments.add_order(order, check_after=desk.patience)
        return tx.payments.order_for(booking_id)


def _give_up(desk: Desk, booking_id: UUID, key: IdempotencyKey | None) -> PaymentOrder | None:
    """End a hold that has no order; return its order if somebody else got one meanwhile."""
    with desk.begin() as tx:
        at_hand = tx.reservations.take_in_hand(booking_id)  # from here on nobody stores an order
        order = tx.payments.order_for(booking_id)
        if order is None and at_hand is not None:
            fail_booking(tx, booking_id=booking_id)
            if key is not None:
                tx.idempotency_keys.forget(at_hand.buyer_id, key, booking_id=booking_id)
        return order

"""Giving a booking up."""

from dataclasses import replace
from uuid import UUID

from booking_service.domain.bookings import (
    GIVEN_UP,
    Booking,
    BookingAtHand,
    BookingStatus,
    IdempotencyKey,
    refund_for_buyer,
)
from booking_service.domain.errors import AccountClosed, BookingNotFound, TicketUsed
from booking_service.domain.notices import NoticeKind
from booking_service.domain.refunds import RefundReason
from booking_service.repositories.facts import from_facts, to_facts
from booking_service.repositories.transaction import Begin, Transaction

OPERATION = "POST /api/v1/bookings/{id}/cancel"


def cancel_booking(
    begin: Begin, *, buyer_id: UUID, booking_id: UUID, key: IdempotencyKey | None = None
) -> Booking:
    """Give a buyer's booking up under its own refund policy; return it as it is then.

    A booking that is over already is returned as it is: repeating is safe, with a key or without.

    Raises:
        BookingNotFound: the buyer has no such booking.
        ShowStarted: it is too late.
        TicketUsed: somebody was let in with one of its tickets.
        KeyReused: the key belongs to a different request.
        RequestInFlight: the first request with this key has not ended yet.
        AccountClosed: the buyer's account is deleted; while that is being decided it goes on.
    """
    with begin() as tx:
        if key is not None:
            known = tx.idempotency_keys.claim(buyer_id, OPERATION, key)
            if known is not None:
                return from_facts(known)
        if tx.deletions.is_gone(buyer_id):
            raise AccountClosed
        _give_up(tx, buyer_id, booking_id)
        booking = tx.bookings.one_of_buyer(buyer_id, booking_id)
        if booking is None:
            raise BookingNotFound("You have no booking with this id.")
        cancelled = replace(booking, refunds=tuple(tx.refunds.of_booking(booking_id)))
        if key is not None:
            tx.idempotency_keys.keep(buyer_id, OPERATION, key, to_facts(cancelled))
        return cancelled


def _give_up(tx: Transaction, buyer_id: UUID, booking_id: UUID) -> None:
    if tx.bookings.one_of_buyer(buyer_id, booking_id) is None:
        return  # somebody else's: nothing is locked for a stranger
    booking = tx.reservations.take_in_hand(booking_id)
    if booking is None or booking.status not in GIVEN_UP:
        return
    give_up(tx, booking)
    if GIVEN_UP[booking.status] is BookingStatus.CANCELLED:
        tx.notices.write(booking_id, NoticeKind.CANCELLED)


def give_up(tx: Transaction, booking: BookingAtHand) -> None:
    """Give an active booking up as its buyer may: what its refund policy promises is owed back.

    Raises:
        ShowStarted, TicketUsed: it is too late; nothing was written.
    """
    money, reason = refund_for_buyer(booking)
    if reason is not RefundReason.SHOW_CANCELLED and tx.admissions.of_booking(booking.id):
        raise TicketUsed
    tx.reservations.move(booking, GIVEN_UP[booking.status])
    tx.refunds.owe(booking.id, money, reason)
    tx.ledger.record_refund(booking, money)

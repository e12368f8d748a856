"""Letting somebody in."""

from uuid import UUID

from booking_service.domain.bookings import BookingAtHand
from booking_service.domain.errors import AlreadyAdmitted, TicketNotFound
from booking_service.domain.ticket_codes import Seat
from booking_service.domain.tickets import Admission, AdmittedTicket, require_admissible
from booking_service.repositories.ticket_keyring import TicketKeyring
from booking_service.repositories.transaction import Begin, Transaction


def check_in(
    begin: Begin, keys: TicketKeyring, *, code: str, nonce: str, actor_id: UUID, as_admin: bool
) -> AdmittedTicket:
    """Let the holder of a ticket in, once.

    Repeating it with the nonce that let the seat in is safe and says the same.

    Raises:
        TicketInvalid: none of our keys signed the code.
        TicketNotFound: it is not for a show of this person's, who is no admin either.
        TicketCancelled, AdmissionNotOpen: it may not be let in, or not yet.
        AlreadyAdmitted: another request let it in.
        AccountClosed: this person's account is being deleted.
    """
    seat = keys.seat(code)
    with begin() as tx:
        tx.deletions.require_open(actor_id)
        booking = _in_hand(tx, seat, actor_id=actor_id, as_admin=as_admin)
        admission = tx.admissions.find(seat)
        if admission is None:
            require_admissible(booking)
            admission = Admission(booking.now, nonce, by_admin=as_admin)
            tx.admissions.add(seat, admission)
        elif (admission.nonce, admission.by_admin) != (nonce, as_admin):
            raise AlreadyAdmitted(admission.admitted_at)
        return AdmittedTicket(
            seat=seat,
            show=booking.show.offer,
            quantity=booking.quantity,
            due_paise=0 if seat.paid else booking.price.total_paise,
            admitted_at=admission.admitted_at,
        )


def _in_hand(tx: Transaction, seat: Seat, *, actor_id: UUID, as_admin: bool) -> BookingAtHand:
    show = tx.inventory.of(seat.show_id)
    if show is None or not (as_admin or show.offer.creator_id == actor_id):
        raise TicketNotFound  # nothing is locked for a stranger
    booking = tx.reservations.take_in_hand(seat.booking_id)
    if booking is None:
        raise TicketNotFound
    return booking

"""Deleting a person for good: whatever was begun here is only ever finished."""

from contextlib import suppress
from uuid import UUID, uuid4

from booking_service.domain.bookings import GIVEN_UP, BookingStatus
from booking_service.domain.cancellations import REASON_OF_NOBODY, CancellationOrder
from booking_service.domain.deletions import Answer, Counted, DeletionState, Outcome
from booking_service.domain.errors import ShowStarted, TicketUsed
from booking_service.domain.offers import Inventory
from booking_service.domain.sale_rules import DEFAULT_RETENTION_YEARS
from booking_service.repositories.transaction import Begin, Transaction
from booking_service.usecases.cancel_booking import give_up

BOOKINGS_AT_ONCE = 100  # in one call, each in a transaction of its own: about a second
SHOWS_AT_ONCE = 50  # in one transaction, and so in one call


def purge_person(begin: Begin, *, saga_id: UUID, person_id: UUID) -> Answer:
    """Delete what is here of a person, as much as can be done in a second or two; idempotent.

    Holds end, coming bookings are given up under their refund policy, shows go or stay without a
    creator if they were ever booked, and what the law wants kept gets a random reference. While it
    is `PURGING`, ask again. It has been decided for good: a fence need not have come before it, as
    after the restore of a backup, and one of another deletion gives way. A deletion that was lifted
    stays so.

    Raises:
        AnotherDeletion: this is the deletion of somebody else.
    """
    with begin() as tx:
        answer = _begin(tx, saga_id, person_id)
    if answer.state is not Outcome.PURGING:
        return answer
    _give_bookings_up(begin, saga_id, person_id)
    _let_shows_go(begin, saga_id, person_id)
    with begin() as tx:
        return _forget(tx, saga_id, person_id)


def _begin(tx: Transaction, saga_id: UUID, person_id: UUID) -> Answer:
    """Have the person fenced beyond recall: from here on late news of the person are void."""
    tx.deletions.claim(person_id)
    known = tx.deletions.of_saga(saga_id, person_id)
    if known is not None and known.state is not DeletionState.FENCED:
        return known.answer
    if known is None:
        if gone := tx.deletions.tombstone(person_id):
            return gone.answer
        tx.deletions.lift_others(saga_id, person_id)
        tx.creators.claim(person_id)
        tx.creators.lock_shows(person_id)
        tx.deletions.fence(saga_id, person_id)
        tx.creators.put_in_force(person_id)
    tx.deletions.begin_purge(saga_id)
    return Answer(Outcome.PURGING)


def _give_bookings_up(begin: Begin, saga_id: UUID, person_id: UUID) -> None:
    with begin() as tx:
        bookings = tx.bookings.to_give_up(person_id, limit=BOOKINGS_AT_ONCE)
    for booking_id in bookings:
        with begin() as tx:
            counted = _give_one_up(tx, booking_id)
            if counted is not None:
                tx.deletions.count(saga_id, counted)


def _give_one_up(tx: Transaction, booking_id: UUID) -> Counted | None:
    """End a hold, or cancel a booking if its buyer still could; say which of it was done."""
    booking = tx.reservations.take_in_hand(booking_id)
    if booking is None or booking.status not in GIVEN_UP:
        return None
    if booking.status is BookingStatus.PENDING:
        tx.reservations.move(booking, BookingStatus.FAILED)
        return Counted.HOLDS_RELEASED
    with suppress(ShowStarted, TicketUsed):
        give_up(tx, booking)
        return Counted.BOOKINGS_CANCELLED
    return None


def _let_shows_go(begin: Begin, saga_id: UUID, person_id: UUID) -> None:
    with begin() as tx:
        shows = tx.creators.show_ids(person_id, limit=SHOWS_AT_ONCE)
        for show_id in shows:
            tx.inventory.claim(show_id)
        tx.inventory.lock_all(shows)  # all of them before anything is counted
        for show_id in shows:
            show = tx.inventory.lock(show_id)
            if show is not None and show.offer.creator_id == person_id:
                _let_go(tx, saga_id, show)


def _let_go(tx: Transaction, saga_id: UUID, show: Inventory) -> None:
    """Remove a show that was never booked; any other stays for its buyers, without a creator."""
    show_id, version = show.offer.show_id, show.offer.version
    if not tx.bookings.any_of_show(show_id) and not tx.ledger.any_of_show(show_id):
        tx.inventory.delete(show_id, version=version)
        tx.deletions.count(saga_id, Counted.OFFERS_DELETED)
        return
    if _will_not_take_place(tx, show):
        tx.reservations.release_expired(show_id)
        tx.cancellations.stop_sale(CancellationOrder(show_id, version, REASON_OF_NOBODY, None))
        tx.work.cancel_bookings(show_id)
        tx.deletions.count(saga_id, Counted.SHOWS_CANCELLED)
    tx.inventory.orphan(show_id)
    tx.cancellations.forget_reason(show_id)
    tx.deletions.count(saga_id, Counted.SHOWS_KEPT)


def _will_not_take_place(tx: Transaction, show: Inventory) -> bool:
    """Return whether somebody waits for it: only without a fence before, which refuses then."""
    show_id = show.offer.show_id
    return (
        show.cancelled_at is None
        and not tx.inventory.has_ended(show_id)
        and bool(tx.cancellations.active_bookings(show_id, limit=1))
    )


def _forget(tx: Transaction, saga_id: UUID, person_id: UUID) -> Answer:
    """Take the person's id out of everything, unless something is still to be settled before."""
    tx.deletions.claim(person_id)
    known = tx.deletions.of_saga(saga_id, person_id)
    if known is not None and known.state is DeletionState.PURGED:
        return known.answer
    tx.inventory.lock_all(tx.bookings.show_ids_of(person_id))  # no money moves a booking meanwhile
    if tx.bookings.to_give_up(person_id, limit=1) or tx.creators.show_ids(person_id, limit=1):
        return Answer(Outcome.PURGING)
    newest = tx.platform_settings.newest()
    years = DEFAULT_RETENTION_YEARS if newest is None else newest.retention_years
    anonymised = tx.people.forget(person_id, reference=uuid4(), retention_years=years)
    tx.deletions.count(saga_id, Counted.BOOKINGS_ANONYMISED, number=anonymised)
    return Answer(Outcome.PURGED, counts=tx.deletions.complete(saga_id))

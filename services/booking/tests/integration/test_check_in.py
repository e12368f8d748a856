"""Every ticket opens the door once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import IntegrityError, ProgrammingError

from booking_service.domain.bookings import Booking, BookingStatus
from booking_service.domain.cancellations import CancellationOrder
from booking_service.domain.creators import Standing
from booking_service.domain.errors import (
    AdmissionNotOpen,
    AlreadyAdmitted,
    TicketCancelled,
    TicketInvalid,
    TicketNotFound,
    TicketUsed,
)
from booking_service.domain.ticket_codes import Seat
from booking_service.domain.tickets import AdmittedTicket
from booking_service.usecases.cancel_booking import cancel_booking
from booking_service.usecases.cancel_bookings_of_show import cancel_bookings_of_show
from booking_service.usecases.cancel_show import cancel_show
from booking_service.usecases.check_in import check_in
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.usecases.set_standing import set_standing
from booking_service.wiring import Wiring

ShowFactory = Callable[..., UUID]

CREATOR = uuid4()
SCANNER = "scan-1"


@pytest.fixture
def tonight(show_with: ShowFactory) -> UUID:
    return show_with(creator_id=CREATOR, starts_at=datetime.now(UTC) + timedelta(hours=2))


def book(use: Wiring, show_id: UUID, *, buyer_id: UUID | None = None, quantity: int = 1) -> Booking:
    return reserve_tickets(
        use.box_office,
        use.fees,
        use.rules,
        show_id=show_id,
        buyer_id=buyer_id or uuid4(),
        quantity=quantity,
    )


def code_of(use: Wiring, booking: Booking, seat: int = 1) -> str:
    return use.ticket_keys.code(
        Seat(booking.id, booking.show.id, seat, paid=False), booked_at=booking.created_at
    )


def admit(
    use: Wiring,
    code: str,
    *,
    nonce: str = SCANNER,
    actor_id: UUID = CREATOR,
    as_admin: bool = False,
) -> AdmittedTicket:
    return check_in(
        use.begin, use.ticket_keys, code=code, nonce=nonce, actor_id=actor_id, as_admin=as_admin
    )


def admissions(use: Wiring, booking: Booking) -> dict[int, datetime]:
    with use.read() as tx:
        return dict(tx.admissions.of_booking(booking.id))


def test_a_ticket_is_let_in_and_the_door_is_told_what_is_due(use: Wiring, tonight: UUID) -> None:
    booking = book(use, tonight, quantity=2)

    admitted = admit(use, code_of(use, booking, seat=2))

    assert (admitted.seat.booking_id, admitted.seat.number) == (booking.id, 2)
    assert (admitted.quantity, admitted.show.title) == (2, "Open Mic")
    assert admitted.due_paise == 99_800 + 8_982
    assert admissions(use, booking) == {2: admitted.admitted_at}


def test_the_same_scan_again_says_the_same_and_another_scan_is_refused(
    use: Wiring, tonight: UUID
) -> None:
    booking = book(use, tonight, quantity=2)
    code = code_of(use, booking)

    first = admit(use, code, nonce="a")

    assert admit(use, code, nonce="a") == first
    with pytest.raises(AlreadyAdmitted) as refusal:
        admit(use, code, nonce="b")
    assert refusal.value.admitted_at == first.admitted_at
    with pytest.raises(AlreadyAdmitted):
        admit(use, code, nonce="a", as_admin=True)  # somebody else who chose the same nonce
    admit(use, code_of(use, booking, seat=2), nonce="a")


def test_two_scanners_at_the_same_moment_let_one_in(use: Wiring, tonight: UUID) -> None:
    booking = book(use, tonight)
    code = code_of(use, booking)
    together = threading.Barrier(8)

    def scan(number: int) -> str:
        together.wait()
        try:
            admit(use, code, nonce=str(number))
        except AlreadyAdmitted:
            return "refused"
        return "let in"

    with ThreadPoolExecutor(8) as scanners:
        outcomes = list(scanners.map(scan, range(8)))

    assert sorted(outcomes) == ["let in"] + ["refused"] * 7
    assert list(admissions(use, booking)) == [1]


def test_a_scan_that_is_repeated_while_it_is_under_way_is_one(use: Wiring, tonight: UUID) -> None:
    code = code_of(use, book(use, tonight))
    together = threading.Barrier(8)

    def scan(_number: int) -> datetime:
        together.wait()
        return admit(use, code).admitted_at

    with ThreadPoolExecutor(8) as scanners:
        assert len(set(scanners.map(scan, range(8)))) == 1


def test_a_stranger_is_told_nothing_and_holds_nobody_up(
    use: Wiring, tonight: UUID, show_with: ShowFactory
) -> None:
    booking = book(use, tonight)
    code = code_of(use, booking)
    show_with(creator_id=(other := uuid4()))
    unknown = replace(booking, show=replace(booking.show, id=uuid4()))

    with use.begin() as tx:
        tx.inventory.lock(tonight)
        for actor_id in (other, uuid4()):
            with pytest.raises(TicketNotFound):
                admit(use, code, actor_id=actor_id)
    with pytest.raises(TicketNotFound):
        admit(use, code_of(use, unknown))
    admit(use, code, as_admin=True, actor_id=uuid4())


def test_a_code_of_a_booking_that_is_gone_is_not_found(use: Wiring, tonight: UUID) -> None:
    gone = replace(book(use, tonight), id=uuid4())

    with pytest.raises(TicketNotFound):
        admit(use, code_of(use, gone))


def test_a_forged_code_is_refused(use: Wiring, tonight: UUID) -> None:
    code = code_of(use, book(use, tonight))
    forged = code[:-1] + ("A" if code[-1] != "A" else "B")

    for wrong in (forged, code[:-1], "hello"):
        with pytest.raises(TicketInvalid):
            admit(use, wrong)


def test_a_revoked_creator_still_lets_holders_in(use: Wiring, show_with: ShowFactory) -> None:
    creator_id = uuid4()
    show_id = show_with(creator_id=creator_id, starts_at=datetime.now(UTC) + timedelta(hours=2))
    code = code_of(use, book(use, show_id))
    set_standing(use.begin, creator_id=creator_id, said=Standing(allowed=False, version=1))

    admit(use, code, actor_id=creator_id)


def test_it_can_be_too_early(use: Wiring, show_with: ShowFactory) -> None:
    tomorrow = show_with(creator_id=CREATOR, starts_at=datetime.now(UTC) + timedelta(hours=13))
    booking = book(use, tomorrow)

    with pytest.raises(AdmissionNotOpen):
        admit(use, code_of(use, booking))
    assert admissions(use, booking) == {}


def test_a_cancelled_booking_is_not_let_in(use: Wiring, tonight: UUID) -> None:
    buyer_id = uuid4()
    booking = book(use, tonight, buyer_id=buyer_id)
    code = code_of(use, booking)
    cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id)

    with pytest.raises(TicketCancelled):
        admit(use, code)


def test_a_cancelled_show_lets_nobody_in_though_its_bookings_are_still_to_be_cancelled(
    use: Wiring, tonight: UUID
) -> None:
    buyer_id = uuid4()
    early, late = book(use, tonight, buyer_id=buyer_id), book(use, tonight)
    admit(use, code_of(use, early), nonce="early")
    cancel_show(
        use.begin,
        order=CancellationOrder(tonight, version=2, reason="Fire alarm", actor_id=CREATOR),
    )

    with pytest.raises(TicketCancelled):
        admit(use, code_of(use, late))
    admit(use, code_of(use, early), nonce="early")  # what took effect is answered as it was
    cancelled = cancel_booking(use.begin, buyer_id=buyer_id, booking_id=early.id)
    assert cancelled.status is BookingStatus.CANCELLED


def test_the_bookings_of_a_cancelled_show_are_all_cancelled_people_inside_included(
    use: Wiring, tonight: UUID
) -> None:
    buyer_id = uuid4()
    booking = book(use, tonight, buyer_id=buyer_id)
    admit(use, code_of(use, booking))
    cancel_show(
        use.begin,
        order=CancellationOrder(tonight, version=2, reason="Fire alarm", actor_id=CREATOR),
    )

    cancel_bookings_of_show(use.begin, show_id=tonight)

    with use.read() as tx:
        cancelled = tx.bookings.one_of_buyer(buyer_id, booking.id)
    assert cancelled is not None
    assert cancelled.status is BookingStatus.CANCELLED


def test_whoever_is_inside_cannot_give_the_booking_up(use: Wiring, tonight: UUID) -> None:
    buyer_id = uuid4()
    booking = book(use, tonight, buyer_id=buyer_id, quantity=2)
    admit(use, code_of(use, booking))

    with pytest.raises(TicketUsed):
        cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id)
    with use.read() as tx:
        show = tx.inventory.of(tonight)
    assert show is not None
    assert show.sold == 2
    put_offer(use.begin, offer=replace(show.offer, version=2, venue="Next door"))
    with pytest.raises(TicketUsed):  # nor with the right that a move gives
        cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id)


def test_of_a_scan_and_a_cancellation_at_the_same_moment_one_wins(
    use: Wiring, tonight: UUID
) -> None:
    for _ in range(5):
        buyer_id = uuid4()
        booking = book(use, tonight, buyer_id=buyer_id)
        code = code_of(use, booking)
        together = threading.Barrier(2)

        def scan(code: str = code, together: threading.Barrier = together) -> str:
            together.wait()
            try:
                admit(use, code)
            except TicketCancelled:
                return "cancelled"
            return "inside"

        def give_up(
            buyer_id: UUID = buyer_id,
            booking: Booking = booking,
            together: threading.Barrier = together,
        ) -> str:
            together.wait()
            try:
                cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id)
            except TicketUsed:
                return "inside"
            return "cancelled"

        with ThreadPoolExecutor(2) as people:
            outcomes = {people.submit(scan), people.submit(give_up)}

        assert len({outcome.result() for outcome in outcomes}) == 1


def test_a_scan_waits_for_a_cancellation_that_came_first(use: Wiring, tonight: UUID) -> None:
    buyer_id = uuid4()
    booking = book(use, tonight, buyer_id=buyer_id)
    code = code_of(use, booking)

    with ThreadPoolExecutor(1) as door:
        with use.begin() as tx:
            at_hand = tx.reservations.take_in_hand(booking.id)
            assert at_hand is not None
            scan = door.submit(admit, use, code)
            tx.reservations.move(at_hand, BookingStatus.CANCELLED)
        with pytest.raises(TicketCancelled):
            scan.result()


def test_the_table_takes_one_admission_a_seat_and_gives_none_back(
    use: Wiring, tonight: UUID
) -> None:
    booking = book(use, tonight)
    admit(use, code_of(use, booking))
    insert = (
        "INSERT INTO booking.admission (booking_id, seat, nonce, by_admin, admitted_at)"
        " VALUES (%s, %s, 'n', false, now())"
    )

    for seat, constraint in ((1, "pk_admission"), (0, "seat_in_limits"), (11, "seat_in_limits")):
        with (
            use.engine.connect() as connection,
            pytest.raises(IntegrityError, match=constraint),
        ):
            connection.exec_driver_sql(insert, (booking.id, seat))
    for statement in (
        "DELETE FROM booking.admission",
        "UPDATE booking.admission SET admitted_at = now()",
        "DELETE FROM booking.ticket_key",
        "UPDATE booking.ticket_key SET public_key = '\\x00'",
    ):
        with (
            use.engine.connect() as connection,
            pytest.raises(ProgrammingError, match="permission denied"),
        ):
            connection.exec_driver_sql(statement)

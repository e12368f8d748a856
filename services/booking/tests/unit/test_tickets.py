"""Which tickets a booking has, and which of them the door may let in."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from booking_service.domain.bookings import BookedShow, Booking, BookingAtHand, BookingStatus
from booking_service.domain.errors import AdmissionNotOpen, TicketCancelled
from booking_service.domain.offers import Inventory, Offer
from booking_service.domain.refunds import DEFAULT_POLICY, NOTHING
from booking_service.domain.ticket_codes import Seat
from booking_service.domain.tickets import TicketStatus, require_admissible, tickets_of

START = datetime(2026, 12, 1, 14, tzinfo=UTC)
DOORS = START - timedelta(hours=12)
SECOND = timedelta(seconds=1)
PENDING, CONFIRMED, UNPAID, CANCELLED, FAILED = BookingStatus


def booking(status: BookingStatus) -> Booking:
    return Booking(
        id=UUID(int=1),
        show=BookedShow(UUID(int=2), "Open Mic", START, "Cellar", 49_900, None),
        quantity=2,
        ticket_total_paise=99_800,
        convenience_fee_paise=8_982,
        platform_fee_paise=7_984,
        status=status,
        created_at=START - timedelta(days=20),
        expires_at=None,
    )


def at_hand(
    *, now: datetime, status: BookingStatus = CONFIRMED, cancelled_at: datetime | None = None
) -> BookingAtHand:
    offer = Offer(
        show_id=UUID(int=2),
        version=1,
        creator_id=None,
        title="Open Mic",
        venue="Cellar",
        city="Hyderabad",
        poster_image_url=None,
        starts_at=START,
        duration_minutes=60,
        capacity=10,
        price_paise=49_900,
        platform_fee_basis_points=None,
        on_sale=cancelled_at is None,
    )
    return BookingAtHand(
        id=UUID(int=1),
        buyer_id=UUID(int=3),
        quantity=2,
        price=NOTHING,
        platform_fee_basis_points=800,
        status=status,
        booked_at=START - timedelta(days=20),
        refund_policy=DEFAULT_POLICY,
        anonymous=False,
        show=Inventory(offer, available=8, locked=0, sold=2, cancelled_at=cancelled_at),
        now=now,
    )


def code_of(seat: Seat) -> str:
    return f"code of {seat.number}"


@pytest.mark.parametrize("status", [CONFIRMED, UNPAID])
def test_every_seat_of_a_confirmed_booking_has_a_code(status: BookingStatus) -> None:
    tickets = tickets_of(booking(status), {2: DOORS}, code_of)

    assert [ticket.id for ticket in tickets] == [f"{UUID(int=1)}-1", f"{UUID(int=1)}-2"]
    assert [ticket.code for ticket in tickets] == ["code of 1", "code of 2"]
    assert [ticket.status for ticket in tickets] == [TicketStatus.VALID, TicketStatus.ADMITTED]
    assert [ticket.admitted_at for ticket in tickets] == [None, DOORS]
    assert {ticket.seat.paid for ticket in tickets} == {status is CONFIRMED}


@pytest.mark.parametrize("status", [PENDING, FAILED])
def test_a_booking_that_was_never_confirmed_has_no_tickets(status: BookingStatus) -> None:
    assert tickets_of(booking(status), {}, code_of) == ()


def test_the_tickets_of_a_cancelled_booking_open_no_door() -> None:
    tickets = tickets_of(booking(CANCELLED), {1: DOORS}, code_of)

    assert [(ticket.status, ticket.code) for ticket in tickets] == [
        (TicketStatus.CANCELLED, None)
    ] * 2
    assert tickets[0].admitted_at == DOORS


@pytest.mark.parametrize("status", [CONFIRMED, UNPAID])
def test_the_door_opens_twelve_hours_before_the_start_and_stays_open(
    status: BookingStatus,
) -> None:
    require_admissible(at_hand(now=DOORS, status=status))
    require_admissible(at_hand(now=START + timedelta(days=1), status=status))
    with pytest.raises(AdmissionNotOpen):
        require_admissible(at_hand(now=DOORS - SECOND, status=status))


@pytest.mark.parametrize("status", [PENDING, FAILED, CANCELLED])
def test_only_confirmed_bookings_are_let_in(status: BookingStatus) -> None:
    with pytest.raises(TicketCancelled):
        require_admissible(at_hand(now=START, status=status))


def test_nobody_is_let_in_to_a_cancelled_show() -> None:
    with pytest.raises(TicketCancelled):
        require_admissible(at_hand(now=START, cancelled_at=DOORS))

"""Demonstration bookings: a believable crowd for the demonstration season."""

from booking_service.clients.config import ConfigClient
from booking_service.domain.errors import BookingError
from booking_service.repositories.box_office import BoxOffice
from booking_service.repositories.fee_schedules import CurrentFees
from booking_service.repositories.platform_settings import CurrentRules
from booking_service.repositories.transaction import Begin
from booking_service.usecases.refresh_fee_schedule import refresh_fee_schedule
from booking_service.usecases.reserve_tickets import reserve_tickets
from service_kit.seeding import seed_id

CROWD = [f"audience{number:02}@comedy.example" for number in range(1, 11)]
TICKETS = (2, 4, 1, 2, 6, 2, 3, 2, 1, 5)

NEARLY_SOLD_OUT = dict(zip(CROWD[:6], (10, 10, 10, 10, 10, 7), strict=True))  # three of 60 left
ENDED = dict(zip(CROWD, TICKETS, strict=True))


def seed(
    begin: Begin,
    box_office: BoxOffice,
    fees: CurrentFees,
    rules: CurrentRules,
    config: ConfigClient,
) -> str:
    """Book what is not booked yet, for shows that catalog's seed has put on sale."""
    refresh_fee_schedule(begin, config)
    wished = [("nearly-sold-out", buyer, count) for buyer, count in NEARLY_SOLD_OUT.items()]
    wished += [("ended", buyer, count) for buyer, count in ENDED.items()]
    made = sum(
        _book_once(begin, box_office, fees, rules, show=show, buyer=buyer, quantity=quantity)
        for show, buyer, quantity in wished
    )
    return f"{made} new bookings"


def _book_once(
    begin: Begin,
    box_office: BoxOffice,
    fees: CurrentFees,
    rules: CurrentRules,
    *,
    show: str,
    buyer: str,
    quantity: int,
) -> bool:
    show_id, buyer_id = seed_id(f"show:{show}"), seed_id(f"user:{buyer}")
    with begin() as tx:
        if tx.bookings.of_buyer(buyer_id, show_id=show_id, limit=1):
            return False
    try:
        reserve_tickets(
            box_office, fees, rules, show_id=show_id, buyer_id=buyer_id, quantity=quantity
        )
    except BookingError:  # sold to others or started since: then the season has a crowd already
        return False
    return True

"""Sales share calls to the database; whatever happens to a call, each has its own outcome once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

from services.booking.tests.conftest import make_offer
from sqlalchemy import text
from uuid_utils.compat import uuid7

from booking_service.domain.bookings import BookingStatus
from booking_service.domain.errors import SoldOut
from booking_service.domain.pricing import quote
from booking_service.repositories.box_office import Order
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.wiring import Wiring
from devstack.testing import eventually

ShowFactory = Callable[..., UUID]


def order_of(use: Wiring, show_id: UUID, *, quantity: int = 1) -> Order:
    terms = use.box_office.terms(show_id)
    assert terms is not None
    price = quote(
        unit_price_paise=terms.price_paise,
        quantity=quantity,
        schedule=use.fees.current(),
        own_platform_fee_basis_points=terms.own_platform_fee_basis_points,
    )
    return Order(
        booking_id=uuid7(),
        show_id=show_id,
        buyer_id=uuid4(),
        quote=price,
        own_platform_fee_basis_points=terms.own_platform_fee_basis_points,
        rules=use.rules.current(),
        status=BookingStatus.CONFIRMED_UNPAID,
        expected_total_paise=None,
        key=None,
    )


def sold(use: Wiring, show_id: UUID) -> int:
    with use.read() as tx:
        inventory = tx.inventory.of(show_id)
    assert inventory is not None
    return inventory.sold


def waiting_sales(use: Wiring) -> list[int]:
    with use.engine.connect() as connection:
        return list(
            connection.scalars(
                text(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'booking sales'"
                    " AND wait_event_type = 'Lock' AND datname = current_database()"
                )
            )
        )


def test_an_order_that_took_effect_is_not_served_twice(use: Wiring, show_with: ShowFactory) -> None:
    show_id = show_with()
    order = order_of(use, show_id, quantity=3)

    first, again = use.box_office.reserve(order), use.box_office.reserve(order)

    assert (first.id, first.quantity) == (again.id, again.quantity) == (order.booking_id, 3)
    assert sold(use, show_id) == 3


def test_a_call_whose_connection_is_lost_is_repeated_and_sells_once(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with()
    orders = [order_of(use, show_id) for _ in range(5)]

    with ThreadPoolExecutor(max_workers=len(orders)) as pool, use.engine.begin() as holder:
        holder.execute(
            text("SELECT 1 FROM booking.ticket_inventory WHERE show_id = :id FOR UPDATE"),
            {"id": show_id},
        )
        asked = [pool.submit(use.box_office.reserve, each) for each in orders]
        eventually(lambda: len(waiting_sales(use)) == 2)
        with use.engine.begin() as killer:
            for pid in waiting_sales(use):
                killer.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        holder.rollback()
        made = [each.result(60).id for each in asked]

    assert made == [order.booking_id for order in orders]
    assert sold(use, show_id) == len(orders)


def test_a_changed_price_is_noticed_although_the_old_one_is_remembered(use: Wiring) -> None:
    offer = make_offer(price_paise=10_000)
    put_offer(use.begin, offer=offer)
    assert use.box_office.terms(offer.show_id) == (10_000, None)
    put_offer(
        use.begin,
        offer=make_offer(
            show_id=offer.show_id, creator_id=offer.creator_id, version=2, price_paise=20_000
        ),
    )

    booking = reserve_tickets(
        use.box_office, use.fees, use.rules, show_id=offer.show_id, buyer_id=uuid4(), quantity=1
    )

    assert booking.ticket_total_paise == 20_000


def test_who_does_not_fit_is_refused_and_the_others_of_the_batch_are_served(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with(capacity=10)
    orders = [order_of(use, show_id, quantity=3) for _ in range(8)]

    with ThreadPoolExecutor(max_workers=len(orders)) as pool:
        asked = [pool.submit(use.box_office.reserve, each) for each in orders]
        refusals = [failure for each in asked if (failure := each.exception(60)) is not None]

    assert [type(each) for each in refusals] == [SoldOut] * 5
    assert sold(use, show_id) == 9


def test_a_show_that_is_not_known_has_no_terms_and_is_looked_for_again(use: Wiring) -> None:
    offer = make_offer()
    assert use.box_office.terms(offer.show_id) is None

    put_offer(use.begin, offer=offer)

    assert use.box_office.terms(offer.show_id) is not None

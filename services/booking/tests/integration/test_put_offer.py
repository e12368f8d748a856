from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from booking_service.domain.bookings import Booking
from booking_service.domain.errors import CapacityBelowSold, HasBookings, ShowNotFound
from booking_service.domain.offers import Inventory, Offer
from booking_service.usecases.delete_offer import delete_offer
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.wiring import Wiring

ShowFactory = Callable[..., UUID]
HoldFactory = Callable[..., Booking]


def stored(use: Wiring, show_id: UUID) -> Inventory:
    with use.read() as tx:
        inventory = tx.inventory.of(show_id)
    assert inventory is not None
    return inventory


def changed(use: Wiring, show_id: UUID, **changes: Any) -> Offer:
    return replace(stored(use, show_id).offer, **changes)


def test_versions_may_arrive_in_any_order(use: Wiring, show_with: ShowFactory) -> None:
    show_id = show_with(version=1, title="first")

    assert put_offer(use.begin, offer=changed(use, show_id, version=3, title="third")) == 3
    assert put_offer(use.begin, offer=changed(use, show_id, version=2, title="second")) == 3

    assert stored(use, show_id).offer.title == "third"


def test_more_capacity_means_more_available_seats(use: Wiring, show_with: ShowFactory) -> None:
    show_id = show_with(capacity=10)
    reserve_tickets(
        use.box_office, use.fees, use.rules, show_id=show_id, buyer_id=uuid4(), quantity=4
    )

    put_offer(use.begin, offer=changed(use, show_id, version=2, capacity=15))

    after = stored(use, show_id)
    assert (after.available, after.sold) == (11, 4)


def test_a_refused_version_changes_nothing(use: Wiring, show_with: ShowFactory) -> None:
    show_id = show_with(capacity=10)
    reserve_tickets(
        use.box_office, use.fees, use.rules, show_id=show_id, buyer_id=uuid4(), quantity=4
    )
    before = stored(use, show_id)

    with pytest.raises(CapacityBelowSold):
        put_offer(use.begin, offer=changed(use, show_id, version=2, capacity=3, title="smaller"))

    assert stored(use, show_id) == before


def test_sales_and_a_shrinking_capacity_at_once_never_oversell(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with(capacity=20)
    smaller = changed(use, show_id, version=2, capacity=8)

    def buy(_: int) -> bool:
        try:
            reserve_tickets(
                use.box_office, use.fees, use.rules, show_id=show_id, buyer_id=uuid4(), quantity=1
            )
        except Exception as error:
            if type(error).__name__ != "SoldOut":
                raise
            return False
        return True

    def shrink() -> bool:
        try:
            return put_offer(use.begin, offer=smaller) == 2
        except CapacityBelowSold:
            return False

    with ThreadPoolExecutor(max_workers=8) as pool:
        sales = [pool.submit(buy, number) for number in range(12)]
        shrunk = pool.submit(shrink)
        sold = sum(sale.result() for sale in sales)

    after = stored(use, show_id)
    assert after.sold == sold <= after.offer.capacity
    assert after.offer.capacity == (8 if shrunk.result() else 20)


def test_a_move_is_remembered_for_those_who_booked_before(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with()
    put_offer(use.begin, offer=changed(use, show_id, version=2, title="Nobody moves"))
    assert stored(use, show_id).moved_at is None

    put_offer(use.begin, offer=changed(use, show_id, version=3, venue="Somewhere else"))

    moved_at = stored(use, show_id).moved_at
    assert moved_at is not None
    put_offer(use.begin, offer=changed(use, show_id, version=4, title="Another title"))
    assert stored(use, show_id).moved_at == moved_at


def test_ended_holds_are_in_the_way_of_no_change(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id = show_with(capacity=10)
    hold(show_id, quantity=5, ended=True)

    put_offer(use.begin, offer=changed(use, show_id, version=2, capacity=4), unsold_only=True)

    after = stored(use, show_id)
    assert (after.available, after.locked) == (4, 0)


def test_a_show_deleted_while_it_is_sold_is_sold_or_deleted(
    use: Wiring, show_with: ShowFactory
) -> None:
    def buy(show_id: UUID) -> bool:
        try:
            reserve_tickets(
                use.box_office, use.fees, use.rules, show_id=show_id, buyer_id=uuid4(), quantity=1
            )
        except ShowNotFound:
            return False
        return True

    def delete(show_id: UUID) -> bool:
        try:
            return delete_offer(use.begin, show_id=show_id, version=2) is None
        except HasBookings:
            return False

    with ThreadPoolExecutor(max_workers=8) as pool:
        for _ in range(5):
            show_id = show_with()
            sales = [pool.submit(buy, show_id) for _ in range(3)]
            deletion = pool.submit(delete, show_id)
            sold = True in [sale.result() for sale in sales]
            assert deletion.result() is not sold


def test_seats_are_added_up_over_all_that_is_on_sale(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    def seats() -> tuple[int, int, int]:
        with use.read() as tx:
            found = tx.inventory.seats()
        return found.available, found.locked, found.sold

    before = seats()
    show_id = show_with(capacity=10)
    hold(show_id, quantity=2)
    reserve_tickets(
        use.box_office, use.fees, use.rules, show_id=show_id, buyer_id=uuid4(), quantity=3
    )
    show_with(capacity=7, on_sale=False)

    assert [now - then for now, then in zip(seats(), before, strict=True)] == [5, 2, 3]

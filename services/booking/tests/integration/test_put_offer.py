from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from booking_service.domain.errors import CapacityBelowSold
from booking_service.domain.offers import Inventory, Offer
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.wiring import Wiring

ShowFactory = Callable[..., UUID]


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
    reserve_tickets(use.begin, use.fees, use.limits, show_id=show_id, buyer_id=uuid4(), quantity=4)

    put_offer(use.begin, offer=changed(use, show_id, version=2, capacity=15))

    after = stored(use, show_id)
    assert (after.available, after.sold) == (11, 4)


def test_a_refused_version_changes_nothing(use: Wiring, show_with: ShowFactory) -> None:
    show_id = show_with(capacity=10)
    reserve_tickets(use.begin, use.fees, use.limits, show_id=show_id, buyer_id=uuid4(), quantity=4)
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
                use.begin, use.fees, use.limits, show_id=show_id, buyer_id=uuid4(), quantity=1
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

"""A creator who may not sell: what is under way, and what comes after."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from booking_service.domain.creators import Standing
from booking_service.domain.errors import ShowNotOnSale
from booking_service.domain.offers import Inventory
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.quote_tickets import quote_tickets
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.usecases.set_standing import set_standing
from booking_service.wiring import Wiring
from devstack.testing import eventually

ShowFactory = Callable[..., UUID]

ALLOWED, REVOKED = True, False


def book(use: Wiring, show_id: UUID) -> None:
    reserve_tickets(
        use.box_office, use.fees, use.rules, show_id=show_id, buyer_id=uuid4(), quantity=1
    )


def inventory_of(use: Wiring, show_id: UUID) -> Inventory:
    with use.read() as tx:
        inventory = tx.inventory.of(show_id)
    assert inventory is not None
    return inventory


def waiting(use: Wiring) -> bool:
    """Return whether somebody waits for somebody else's lock."""
    with use.engine.connect() as connection:
        blocked = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND cardinality(pg_blocking_pids(pid)) > 0"
        )
        return bool(blocked.scalar_one())


def test_a_revoked_creators_shows_are_not_sold_and_an_approved_ones_are_again(
    use: Wiring, show_with: ShowFactory
) -> None:
    creator_id = uuid4()
    show_id, of_another = show_with(creator_id=creator_id), show_with()
    book(use, show_id)

    set_standing(use.begin, creator_id=creator_id, said=Standing(REVOKED, 1))

    with pytest.raises(ShowNotOnSale):
        book(use, show_id)
    with pytest.raises(ShowNotOnSale):
        quote_tickets(use.read, use.fees, use.rules, show_id=show_id, quantity=1)
    book(use, of_another)

    set_standing(use.begin, creator_id=creator_id, said=Standing(ALLOWED, 2))

    book(use, show_id)
    assert inventory_of(use, show_id).sold == 2


def test_an_older_standing_that_comes_late_changes_nothing(
    use: Wiring, show_with: ShowFactory
) -> None:
    creator_id = uuid4()
    show_id = show_with(creator_id=creator_id)
    said = Standing(REVOKED, 5)

    assert set_standing(use.begin, creator_id=creator_id, said=said) == said
    assert set_standing(use.begin, creator_id=creator_id, said=Standing(ALLOWED, 4)) == said
    assert set_standing(use.begin, creator_id=creator_id, said=Standing(ALLOWED, 5)) == said
    assert set_standing(use.begin, creator_id=creator_id, said=said) == said

    assert not inventory_of(use, show_id).on_sale


def test_a_show_that_comes_or_changes_hands_later_has_its_creators_standing(
    use: Wiring, show_with: ShowFactory
) -> None:
    creator_id = uuid4()
    set_standing(use.begin, creator_id=creator_id, said=Standing(REVOKED, 1))

    show_id = show_with(creator_id=creator_id)
    assert not inventory_of(use, show_id).on_sale

    offer = replace(inventory_of(use, show_id).offer, version=2, creator_id=uuid4())
    put_offer(use.begin, offer=offer)
    assert inventory_of(use, show_id).on_sale


def test_a_sale_under_way_commits_before_the_standing_or_sees_it(
    use: Wiring, show_with: ShowFactory
) -> None:
    creator_id = uuid4()
    show_id = show_with(creator_id=creator_id)
    revoked = Standing(REVOKED, 1)

    with ThreadPoolExecutor(2) as pool:
        with use.begin() as sale:  # as a sale that is about to write: it has the show's row
            sale.inventory.lock(show_id)
            revocation = pool.submit(set_standing, use.begin, creator_id=creator_id, said=revoked)
            eventually(lambda: waiting(use))
            assert inventory_of(use, show_id).on_sale
        assert revocation.result() == revoked

        with use.begin() as revocation_again:  # and the other way round
            revocation_again.creators.claim(creator_id)
            revocation_again.creators.set_standing(creator_id, Standing(ALLOWED, 2))
            sale_in_time = pool.submit(book, use, show_id)
            eventually(lambda: waiting(use))
        sale_in_time.result()


def test_no_show_slips_in_while_its_creator_is_revoked(use: Wiring, show_with: ShowFactory) -> None:
    creator_id = uuid4()
    like_another = inventory_of(use, show_with()).offer
    offer = replace(like_another, show_id=uuid4(), creator_id=creator_id)

    with ThreadPoolExecutor(1) as pool:
        with use.begin() as tx:
            tx.creators.claim(creator_id)
            tx.creators.set_standing(creator_id, Standing(REVOKED, 1))
            added = pool.submit(put_offer, use.begin, offer=offer)
            eventually(lambda: waiting(use))
        added.result()

    assert not inventory_of(use, offer.show_id).on_sale


def test_no_sale_that_contradicts_a_standing_commits_after_it(
    use: Wiring, show_with: ShowFactory
) -> None:
    creator_id = uuid4()
    shows = [show_with(creator_id=creator_id, capacity=1_000) for _ in range(3)]

    def sell_until_refused(show_id: UUID) -> None:
        while True:
            try:
                book(use, show_id)
            except ShowNotOnSale:
                return

    with ThreadPoolExecutor(6) as sellers:
        selling = [sellers.submit(sell_until_refused, show_id) for show_id in shows * 2]
        eventually(lambda: all(inventory_of(use, show_id).sold for show_id in shows))
        set_standing(use.begin, creator_id=creator_id, said=Standing(REVOKED, 1))
        sold = [inventory_of(use, show_id).sold for show_id in shows]
        for each in selling:
            each.result()

    assert [inventory_of(use, show_id).sold for show_id in shows] == sold

"""The fence around a person whose deletion is being decided, and its lifting."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from services.booking.tests.conftest import make_offer, patiently

from booking_service.domain.bookings import Booking, BookingStatus, IdempotencyKey
from booking_service.domain.cancellations import CancellationOrder
from booking_service.domain.creators import Standing
from booking_service.domain.deletions import Answer, Obstacle, Outcome
from booking_service.domain.errors import AccountClosed, AnotherDeletion, ShowNotOnSale
from booking_service.domain.limits import BookingLimits
from booking_service.domain.offers import Inventory
from booking_service.domain.ticket_codes import Seat
from booking_service.usecases.cancel_booking import cancel_booking
from booking_service.usecases.cancel_bookings_of_show import cancel_bookings_of_show
from booking_service.usecases.cancel_show import cancel_show
from booking_service.usecases.check_in import check_in
from booking_service.usecases.confirm_booking import Captured, confirm_booking
from booking_service.usecases.disburse import disburse
from booking_service.usecases.fence_person import fence_person
from booking_service.usecases.lift_fence import lift_fence
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.usecases.set_standing import set_standing
from booking_service.wiring import Wiring
from devstack.testing import eventually

ShowFactory = Callable[..., UUID]
HoldFactory = Callable[..., Booking]

FENCED, REFUSED, LIFTED = Outcome.FENCED, Outcome.REFUSED, Outcome.LIFTED
LIMITS = BookingLimits(10, 10)


def fence(use: Wiring, person_id: UUID, *, saga_id: UUID | None = None) -> Answer:
    ids = {"saga_id": saga_id or uuid4(), "person_id": person_id}
    return patiently(partial(fence_person, use.begin, **ids))


def lift(use: Wiring, person_id: UUID, *, saga_id: UUID) -> Answer:
    return patiently(partial(lift_fence, use.begin, saga_id=saga_id, person_id=person_id))


def obstacles(answer: Answer) -> dict[Obstacle, list[UUID]]:
    return {reason.code: [show.id for show in reason.shows] for reason in answer.reasons}


def book(use: Wiring, show_id: UUID, *, buyer_id: UUID | None = None) -> Booking:
    return reserve_tickets(
        use.box_office,
        use.fees,
        use.rules,
        show_id=show_id,
        buyer_id=buyer_id or uuid4(),
        quantity=1,
    )


def capture(use: Wiring, booking: Booking) -> Captured:
    with use.begin() as tx:
        return confirm_booking(tx, LIMITS, booking_id=booking.id)


def inventory_of(use: Wiring, show_id: UUID) -> Inventory:
    with use.read() as tx:
        inventory = tx.inventory.of(show_id)
    assert inventory is not None
    return inventory


def change(use: Wiring, show_id: UUID, **changes: Any) -> None:
    offer = inventory_of(use, show_id).offer
    put_offer(use.begin, offer=replace(offer, version=offer.version + 1, **changes))


def end(use: Wiring, show_id: UUID) -> None:
    change(use, show_id, starts_at=datetime.now(UTC) - timedelta(hours=2))


def waiting(use: Wiring) -> bool:
    """Return whether somebody waits for somebody else's lock."""
    with use.engine.connect() as connection:
        blocked = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND cardinality(pg_blocking_pids(pid)) > 0"
        )
        return bool(blocked.scalar_one())


def everything_about(use: Wiring, person_id: UUID) -> list[tuple[str, str]]:
    """Return every row of the schema that has to do with a person, deletions apart."""
    with use.engine.connect() as connection:
        tables = connection.exec_driver_sql(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'booking'"
            " AND table_name NOT IN ('account_deletion', 'alembic_version') ORDER BY table_name"
        ).scalars()
        return [
            (name, str(row))
            for name in tables.all()
            for (row,) in connection.exec_driver_sql(
                f"SELECT to_jsonb(t) FROM booking.{name} AS t"  # noqa: S608 names of our tables
                " WHERE to_jsonb(t)::text LIKE %s OR to_jsonb(t) ->> 'show_id' IN ("
                " SELECT show_id::text FROM booking.ticket_inventory WHERE creator_id = %s)"
                " ORDER BY 1",
                (f"%{person_id}%", person_id),
            )
        ]


# Who may go, and who may not yet.


def test_somebody_booking_knows_nothing_of_is_fenced(use: Wiring) -> None:
    assert fence(use, uuid4()) == Answer(FENCED)


def test_whoever_has_sold_tickets_of_a_coming_show_stays(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    person_id = uuid4()
    sold, held = (show_with(creator_id=person_id, title=title) for title in ("Sold", "Held"))
    book(use, sold)
    hold(held)

    answer = fence(use, person_id)

    assert answer.state is REFUSED
    assert set(obstacles(answer)[Obstacle.SHOWS_WITH_TICKETS]) == {sold, held}
    assert inventory_of(use, sold).on_sale
    book(use, sold)


def test_a_show_under_way_counts_as_a_coming_one(use: Wiring, show_with: ShowFactory) -> None:
    person_id = uuid4()
    show_id = show_with(creator_id=person_id, price_paise=0)
    book(use, show_id)
    change(use, show_id, starts_at=datetime.now(UTC) - timedelta(minutes=10))

    assert obstacles(fence(use, person_id)) == {Obstacle.SHOWS_WITH_TICKETS: [show_id]}


def test_a_hold_that_outlives_its_show_still_counts(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    person_id = uuid4()
    show_id = show_with(creator_id=person_id)
    hold(show_id)
    end(use, show_id)

    assert obstacles(fence(use, person_id)) == {Obstacle.SHOWS_WITH_TICKETS: [show_id]}


@pytest.mark.parametrize("what", ["own", "ended hold", "given up", "cancelled show", "past show"])
def test_nobody_is_kept_for_the_sake_of(
    what: str, use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    person_id, buyer_id = uuid4(), uuid4()
    show_id = show_with(creator_id=person_id)
    match what:
        case "own":
            book(use, show_id, buyer_id=person_id)
        case "ended hold":
            hold(show_id, ended=True)
        case "given up":
            booking = book(use, show_id, buyer_id=buyer_id)
            cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id)
        case "cancelled show":
            capture(use, hold(show_id))
            cancel_show(use.begin, order=CancellationOrder(show_id, 2, "Ill", person_id))
            cancel_bookings_of_show(use.begin, show_id=show_id)
        case "past show":
            book(use, show_id)  # to be paid at the venue
            end(use, show_id)

    assert fence(use, person_id).state is FENCED


def test_whoever_is_still_owed_money_stays_until_it_is_paid_out(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    person_id = uuid4()
    show_id = show_with(creator_id=person_id, title="Last Laugh")
    capture(use, hold(show_id))
    end(use, show_id)

    answer = fence(use, person_id)
    assert obstacles(answer) == {Obstacle.PAYOUT_OPEN: [show_id]}
    assert "Last Laugh" in answer.reasons[0].message

    disburse(use.begin, show_id=show_id, actor_id=uuid4())
    assert fence(use, person_id).state is FENCED


def test_whoever_is_cancelling_a_show_stays_until_that_is_done(
    use: Wiring, show_with: ShowFactory
) -> None:
    person_id = uuid4()
    show_id = show_with(creator_id=person_id)
    book(use, show_id)
    cancel_show(use.begin, order=CancellationOrder(show_id, 2, "Ill", person_id))

    assert obstacles(fence(use, person_id)) == {Obstacle.CANCELLATION_RUNNING: [show_id]}

    cancel_bookings_of_show(use.begin, show_id=show_id)
    assert fence(use, person_id).state is FENCED


# What a fence does, and a lifting undoes.


def test_nothing_of_a_fenced_person_is_sold(use: Wiring, show_with: ShowFactory) -> None:
    person_id, saga_id = uuid4(), uuid4()
    before = show_with(creator_id=person_id)

    fence(use, person_id, saga_id=saga_id)
    after = show_with(creator_id=person_id)
    change(use, before, capacity=200)

    for show_id in (before, after):
        with pytest.raises(ShowNotOnSale):
            book(use, show_id)
    lift(use, person_id, saga_id=saga_id)
    for show_id in (before, after):
        book(use, show_id)


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_lifted_fence_leaves_what_the_standing_says(
    allowed: bool, when: str, use: Wiring, show_with: ShowFactory
) -> None:
    person_id, saga_id = uuid4(), uuid4()
    show_id = show_with(creator_id=person_id)
    set_standing(use.begin, creator_id=person_id, said=Standing(not allowed, 1))
    said = Standing(allowed, 2)

    if when == "before":
        set_standing(use.begin, creator_id=person_id, said=said)
    fence(use, person_id, saga_id=saga_id)
    if when == "meanwhile":
        set_standing(use.begin, creator_id=person_id, said=said)
    assert not inventory_of(use, show_id).creator_allowed
    lift(use, person_id, saga_id=saga_id)

    assert inventory_of(use, show_id).creator_allowed is allowed


def test_a_fenced_person_lets_nobody_in(use: Wiring, show_with: ShowFactory) -> None:
    person_id, saga_id = uuid4(), uuid4()
    show_id = show_with(creator_id=person_id, starts_at=datetime.now(UTC) + timedelta(hours=1))
    booking = book(use, show_id, buyer_id=person_id)
    code = use.ticket_keys.code(
        Seat(booking.id, show_id, 1, paid=False), booked_at=booking.created_at
    )

    def admit() -> object:
        return check_in(
            use.begin, use.ticket_keys, code=code, nonce="n", actor_id=person_id, as_admin=False
        )

    fence(use, person_id, saga_id=saga_id)
    with pytest.raises(AccountClosed):
        admit()
    lift(use, person_id, saga_id=saga_id)
    assert admit()


def test_a_fenced_person_pays_nobody_out(use: Wiring, show_with: ShowFactory) -> None:
    admin_id, show_id = uuid4(), show_with()
    end(use, show_id)
    fence(use, admin_id)

    with pytest.raises(AccountClosed):
        disburse(use.begin, show_id=show_id, actor_id=admin_id)


def test_a_fenced_person_may_still_give_a_booking_up(use: Wiring, show_with: ShowFactory) -> None:
    person_id, show_id = uuid4(), show_with()
    booking = book(use, show_id, buyer_id=person_id)
    fence(use, person_id)

    cancelled = cancel_booking(
        use.begin, buyer_id=person_id, booking_id=booking.id, key=IdempotencyKey("k", "f")
    )

    assert cancelled.status is BookingStatus.CANCELLED


def test_money_that_comes_while_its_payer_is_fenced_confirms_what_is_held(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    person_id, show_id = uuid4(), show_with()
    held, ended = (hold(show_id, buyer_id=person_id, ended=each) for each in (False, True))
    fence(use, person_id)

    assert capture(use, held) is Captured.CONFIRMED
    assert capture(use, ended) is Captured.TO_REFUND


def test_money_for_a_failed_booking_of_a_fenced_creators_show_goes_back(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    person_id = uuid4()
    booking = hold(show_with(creator_id=person_id), ended=True)
    fence(use, person_id)

    assert capture(use, booking) is Captured.TO_REFUND


# Commands that come twice, late, or in the wrong order.


def test_a_command_may_be_repeated(use: Wiring, show_with: ShowFactory) -> None:
    person_id, saga_id = uuid4(), uuid4()
    show_id = show_with(creator_id=person_id)

    for _ in range(2):
        assert fence(use, person_id, saga_id=saga_id) == Answer(FENCED)
    for _ in range(2):
        assert lift(use, person_id, saga_id=saga_id) == Answer(LIFTED)
    assert fence(use, person_id, saga_id=saga_id) == Answer(LIFTED)

    book(use, show_id)


def test_a_fence_that_comes_after_its_lifting_changes_nothing(
    use: Wiring, show_with: ShowFactory
) -> None:
    person_id, saga_id = uuid4(), uuid4()
    show_id = show_with(creator_id=person_id)

    assert lift(use, person_id, saga_id=saga_id).state is LIFTED
    assert fence(use, person_id, saga_id=saga_id).state is LIFTED

    book(use, show_id)


def test_a_person_is_in_one_deletion_at_a_time(use: Wiring, show_with: ShowFactory) -> None:
    person_id, first, second = uuid4(), uuid4(), uuid4()
    show_id = show_with(creator_id=person_id)
    fence(use, person_id, saga_id=first)

    with pytest.raises(AnotherDeletion):
        fence(use, person_id, saga_id=second)
    lift(use, person_id, saga_id=second)
    assert not inventory_of(use, show_id).on_sale

    lift(use, person_id, saga_id=first)
    assert fence(use, person_id, saga_id=second).state is LIFTED
    assert fence(use, person_id).state is FENCED


def test_a_deletion_is_one_persons(use: Wiring) -> None:
    saga_id = uuid4()
    fence(use, uuid4(), saga_id=saga_id)

    for command in (fence, lift):
        with pytest.raises(AnotherDeletion):
            command(use, uuid4(), saga_id=saga_id)


def test_a_refused_fence_leaves_nothing_behind(use: Wiring, show_with: ShowFactory) -> None:
    person_id, saga_id = uuid4(), uuid4()
    booking = book(use, show_with(creator_id=person_id), buyer_id=(buyer_id := uuid4()))
    before = everything_about(use, person_id)

    assert fence(use, person_id, saga_id=saga_id).state is REFUSED
    assert everything_about(use, person_id) == before

    cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id)
    assert fence(use, person_id, saga_id=saga_id).state is FENCED


@dataclass
class Life:
    """What somebody may have done before the account is to be deleted."""

    use: Wiring
    show_with: ShowFactory
    hold: HoldFactory
    person_id: UUID = field(default_factory=uuid4)

    def __post_init__(self) -> None:
        self.own, self.other = self.show_with(creator_id=self.person_id), self.show_with()

    def do(self, step: str, version: int) -> None:
        if step in {"hold", "ended hold"}:
            self.hold(self.other, buyer_id=self.person_id, ended=step == "ended hold")
        elif step in {"show", "draft"}:
            self.show_with(creator_id=self.person_id, on_sale=step == "show")
        elif step in {"allowed", "revoked"}:
            said = Standing(step == "allowed", version)
            set_standing(self.use.begin, creator_id=self.person_id, said=said)
        else:
            with suppress(ShowNotOnSale):
                show_id = self.own if step == "own booking" else self.other
                book(self.use, show_id, buyer_id=self.person_id)


STEPS = ("show", "draft", "booking", "own booking", "hold", "ended hold", "allowed", "revoked")


@given(steps=st.lists(st.sampled_from(STEPS), max_size=6))
@settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_what_was_fenced_and_lifted_is_as_before(
    steps: list[str], use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    life, saga_id = Life(use, show_with, hold), uuid4()
    for version, step in enumerate(steps, 1):
        life.do(step, version)
    before = everything_about(use, life.person_id)

    assert fence(use, life.person_id, saga_id=saga_id).state is FENCED
    assert not inventory_of(use, life.own).on_sale
    assert lift(use, life.person_id, saga_id=saga_id).state is LIFTED

    assert everything_about(use, life.person_id) == before


# At the same moment.


def test_a_sale_under_way_is_seen_by_the_fence(use: Wiring, show_with: ShowFactory) -> None:
    person_id = uuid4()
    show_id = show_with(creator_id=person_id)

    with ThreadPoolExecutor(1) as pool:
        with use.begin() as sale:  # as a sale that is about to write: it has the show's row
            sale.inventory.lock(show_id)
            fenced = pool.submit(fence, use, person_id)
            eventually(lambda: waiting(use))
        assert fenced.result().state is FENCED


def test_an_offer_that_is_being_changed_is_closed_by_the_fence(
    use: Wiring, show_with: ShowFactory
) -> None:
    person_id = uuid4()
    show_id = show_with(creator_id=person_id)
    draft = make_offer(creator_id=person_id)

    with ThreadPoolExecutor(1) as pool:
        with use.begin() as tx:  # as `put_offer`
            assert not tx.deletions.is_gone(person_id)
            fenced = pool.submit(fence, use, person_id)
            eventually(lambda: waiting(use))
            tx.inventory.claim(draft.show_id)
            tx.creators.share(person_id)
            tx.inventory.add(draft)
        assert fenced.result().state is FENCED

    for each in (show_id, draft.show_id):
        assert not inventory_of(use, each).on_sale


def test_no_sale_commits_after_the_fence(use: Wiring, show_with: ShowFactory) -> None:
    person_id, stop = uuid4(), Event()
    shows = [show_with(creator_id=person_id, capacity=1_000) for _ in range(3)]

    def give_all_up(show_id: UUID) -> None:
        with use.read() as tx:
            found = tx.bookings.of_buyer(person_id, show_id=show_id, limit=10)
        for each in found:
            give_up = partial(cancel_booking, use.begin, buyer_id=person_id)
            patiently(partial(give_up, booking_id=each.id))

    def sell_until_refused(show_id: UUID) -> None:
        with suppress(ShowNotOnSale, AccountClosed):
            while not stop.is_set():
                # the creator's own tickets keep nobody
                patiently(partial(book, use, show_id, buyer_id=person_id))
                give_all_up(show_id)

    with ThreadPoolExecutor(3) as sellers:
        try:
            selling = [sellers.submit(sell_until_refused, show_id) for show_id in shows]
            eventually(lambda: all(bookings(use, show_id) for show_id in shows), seconds=60)
            assert fence(use, person_id).state is FENCED
            sold = [bookings(use, show_id) for show_id in shows]
            for each in selling:
                each.result()
        finally:
            stop.set()

    assert [bookings(use, show_id) for show_id in shows] == sold


def bookings(use: Wiring, show_id: UUID) -> int:
    with use.engine.connect() as connection:
        count = connection.exec_driver_sql(
            "SELECT count(*) FROM booking.booking WHERE show_id = %s", (show_id,)
        )
        return int(count.scalar_one())


def test_of_two_fences_at_once_one_has_the_person(use: Wiring, show_with: ShowFactory) -> None:
    for _ in range(10):
        person_id = uuid4()
        show_with(creator_id=person_id)

        def try_to_fence(saga_id: UUID, person_id: UUID = person_id) -> str:
            try:
                return fence(use, person_id, saga_id=saga_id).state
            except AnotherDeletion:
                return "another"

        with ThreadPoolExecutor(4) as sagas:
            outcomes = list(sagas.map(try_to_fence, [uuid4() for _ in range(4)]))
        assert sorted(outcomes) == ["FENCED", "another", "another", "another"]


def test_a_fence_and_its_lifting_at_once_end_lifted(use: Wiring, show_with: ShowFactory) -> None:
    for _ in range(10):
        person_id, saga_id = uuid4(), uuid4()
        show_id = show_with(creator_id=person_id)

        with ThreadPoolExecutor(4) as pool:
            fences = [pool.submit(fence, use, person_id, saga_id=saga_id) for _ in range(2)]
            lifts = [pool.submit(lift, use, person_id, saga_id=saga_id) for _ in range(2)]
            assert {each.result().state for each in fences} <= {FENCED, LIFTED}
            assert {each.result().state for each in lifts} == {LIFTED}

        assert inventory_of(use, show_id).on_sale


def test_standings_and_fences_at_once_end_right(use: Wiring, show_with: ShowFactory) -> None:
    person_id, saga_id = uuid4(), uuid4()
    show_id = show_with(creator_id=person_id)

    def decide(version: int) -> None:
        said = Standing(version % 2 == 0, version)
        patiently(partial(set_standing, use.begin, creator_id=person_id, said=said))

    with ThreadPoolExecutor(6) as pool:
        decided = pool.map(decide, range(1, 21))
        fences = [pool.submit(fence, use, person_id, saga_id=saga_id) for _ in range(3)]
        assert {each.result().state for each in fences} == {FENCED}
        list(decided)
    assert not inventory_of(use, show_id).creator_allowed

    lift(use, person_id, saga_id=saga_id)
    assert inventory_of(use, show_id).creator_allowed


def test_the_service_cannot_forget_a_tombstone(use: Wiring) -> None:
    for statement in (
        "DELETE FROM booking.account_deletion",
        "UPDATE booking.account_deletion SET person_hash = person_hash",
    ):
        with (
            pytest.raises(Exception, match="permission denied"),
            use.engine.begin() as connection,
        ):
            connection.exec_driver_sql(statement)

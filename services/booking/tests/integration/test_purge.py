"""Somebody who is deleted: what goes, what stays under a reference, and what comes too late."""

import base64
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from services.booking.tests.conftest import make_offer, patiently
from sqlalchemy.exc import DBAPIError

from booking_service import models
from booking_service.clients.identity import IdentityClient
from booking_service.domain.bookings import Booking, BookingStatus, IdempotencyKey
from booking_service.domain.cancellations import REASON_OF_NOBODY, CancellationOrder
from booking_service.domain.creators import PlatformFees, Standing
from booking_service.domain.deletions import Answer, Outcome
from booking_service.domain.errors import (
    AccountClosed,
    AnotherDeletion,
    PayoutOnHold,
    TicketNotFound,
)
from booking_service.domain.limits import BookingLimits
from booking_service.domain.offers import Inventory
from booking_service.domain.refunds import Refund, RefundStatus
from booking_service.domain.sale_rules import PlatformSettings
from booking_service.domain.ticket_codes import Seat
from booking_service.domain.tickets import Admission
from booking_service.usecases import purge_person as purging
from booking_service.usecases.cancel_booking import cancel_booking
from booking_service.usecases.cancel_bookings_of_show import cancel_bookings_of_show
from booking_service.usecases.cancel_show import cancel_show
from booking_service.usecases.check_in import check_in
from booking_service.usecases.confirm_booking import Captured, confirm_booking
from booking_service.usecases.disburse import disburse
from booking_service.usecases.fence_person import fence_person
from booking_service.usecases.find_remains import find_remains
from booking_service.usecases.learn_terms import learn_terms
from booking_service.usecases.lift_fence import lift_fence
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.refresh_creator_terms import refresh_creator_terms
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.usecases.set_standing import set_standing
from booking_service.wiring import Wiring
from devstack.testing import Databases, eventually
from service_kit.peers import Peer

ShowFactory = Callable[..., UUID]
HoldFactory = Callable[..., Booking]

CONFIRMED, CANCELLED, FAILED = (
    BookingStatus.CONFIRMED,
    BookingStatus.CANCELLED,
    BookingStatus.FAILED,
)
PURGED, PURGING = Outcome.PURGED, Outcome.PURGING
LIMITS = BookingLimits(10, 10)
NOTHING = {
    "holdsReleased": 0,
    "bookingsCancelled": 0,
    "bookingsAnonymised": 0,
    "offersDeleted": 0,
    "showsCancelled": 0,
    "showsKept": 0,
}


@pytest.fixture
def owner(databases: Databases) -> Iterator["psycopg.Connection[Any]"]:
    """The owner of the schema, who may change what the service may not."""
    with psycopg.connect(databases.of("booking").owner_url, autocommit=True) as connection:
        yield connection


def purge(use: Wiring, person_id: UUID, *, saga_id: UUID | None = None) -> Answer:
    """Purge a person as identity does: until it is done."""
    saga_id = saga_id or uuid4()
    command = partial(purging.purge_person, use.begin, saga_id=saga_id, person_id=person_id)
    while True:
        answer = patiently(command)
        if answer.state is not PURGING:
            return answer


def counted(answer: Answer) -> dict[str, int]:
    assert answer.state is PURGED
    return {what: number for what, number in answer.counts.items() if number}


def book(use: Wiring, show_id: UUID, *, buyer_id: UUID | None = None, **more: Any) -> Booking:
    return reserve_tickets(
        use.box_office,
        use.fees,
        use.rules,
        show_id=show_id,
        buyer_id=buyer_id or uuid4(),
        quantity=1,
        **more,
    )


def capture(use: Wiring, booking: Booking) -> Captured:
    def settle() -> Captured:
        with use.begin() as tx:
            return confirm_booking(tx, LIMITS, booking_id=booking.id)

    return patiently(settle)


def admit(use: Wiring, booking: Booking) -> None:
    with use.begin() as tx:
        seat = Seat(booking.id, booking.show.id, 1, paid=False)
        tx.admissions.add(seat, Admission(datetime.now(UTC), nonce="scan", by_admin=False))


def inventory_of(use: Wiring, show_id: UUID) -> Inventory | None:
    with use.read() as tx:
        return tx.inventory.of(show_id)


def change(use: Wiring, show_id: UUID, **changes: Any) -> None:
    show = inventory_of(use, show_id)
    assert show is not None
    version = show.offer.version + 1
    put_offer(use.begin, offer=replace(show.offer, version=version, **changes))


def end(use: Wiring, show_id: UUID) -> None:
    change(use, show_id, starts_at=datetime.now(UTC) - timedelta(hours=2))


def stored(use: Wiring, *bookings: Booking) -> list[Any]:
    with use.engine.connect() as connection:
        return [
            connection.exec_driver_sql(
                "SELECT * FROM booking.booking WHERE id = %s", (booking.id,)
            ).one()
            for booking in bookings
        ]


def refunds(use: Wiring, booking: Booking) -> list[Refund]:
    with use.read() as tx:
        return list(tx.refunds.of_booking(booking.id))


def trace(use: Wiring, text: object) -> list[str]:
    """Return the tables that have a text in any column of any row, in both schemas.

    What durable work was given, and what its steps returned, is looked at unpacked.
    """
    with use.engine.connect() as connection:
        tables = connection.exec_driver_sql(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables"
            " WHERE table_schema IN ('booking', 'booking_workflows') ORDER BY 1"
        ).scalars()
        return [
            name
            for name in tables.all()
            if connection.exec_driver_sql(
                f"SELECT EXISTS (SELECT FROM {name} AS t WHERE t::text LIKE %s)",  # noqa: S608
                (f"%{text}%",),
            ).scalar_one()
        ] + [
            f"{table}.{column} unpacked"
            for table, column in (
                ("workflow_status", "inputs"),
                ("workflow_status", "output"),
                ("workflow_input", "inputs"),
                ("workflow_output", "output"),
                ("operation_outputs", "output"),
            )
            for (packed,) in connection.exec_driver_sql(
                f"SELECT {column} FROM booking_workflows.{table} WHERE {column} <> ''"  # noqa: S608
            )
            if str(text).encode() in base64.b64decode(packed)
        ]


def test_what_durable_work_was_given_would_be_found(use: Wiring, show_with: ShowFactory) -> None:
    show_id = show_with()
    cancel_show(use.begin, order=CancellationOrder(show_id, 2, "Ill", uuid4()))

    assert [where for where in trace(use, show_id) if where.endswith("unpacked")]


def waiting(use: Wiring) -> bool:
    """Return whether somebody waits for somebody else's lock."""
    with use.engine.connect() as connection:
        blocked = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND cardinality(pg_blocking_pids(pid)) > 0"
        )
        return bool(blocked.scalar_one())


class Agreed(IdentityClient):
    """Identity, which still knows everybody and can be asked only if that is expected."""

    def __init__(self, *, during: Callable[[], object] = lambda: None) -> None:
        super().__init__(Peer("identity", "http://127.0.0.1:9", lambda *_: ""))  # type: ignore[arg-type]
        object.__setattr__(self, "_during", during)

    def platform_fees(self, creator_ids: Any) -> PlatformFees:
        self._during()  # type: ignore[attr-defined]
        return dict.fromkeys(creator_ids, 500)


# What becomes of a buyer.


def test_nobody_is_left_of_whom_nothing_was_known(use: Wiring) -> None:
    person_id, saga_id = uuid4(), uuid4()

    for _ in range(2):
        assert purge(use, person_id, saga_id=saga_id) == Answer(PURGED, counts=NOTHING)


def test_what_is_held_is_released_and_what_is_paid_is_refunded_by_its_policy(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    person_id = uuid4()
    later = show_with(capacity=10)
    soon = show_with(capacity=10, starts_at=datetime.now(UTC) + timedelta(hours=2))
    held, paid = (hold(later, buyer_id=person_id) for _ in range(2))
    paid_soon = hold(soon, buyer_id=person_id)
    capture(use, paid)
    capture(use, paid_soon)
    unpaid = book(use, later, buyer_id=person_id)

    answer = purge(use, person_id)

    assert counted(answer) == {
        "holdsReleased": 1,
        "bookingsCancelled": 3,
        "bookingsAnonymised": 4,
    }
    statuses = [row.status for row in stored(use, held, paid, paid_soon, unpaid)]
    assert statuses == ["FAILED", "CANCELLED", "CANCELLED", "CANCELLED"]
    assert refunds(use, paid) == [Refund(49_900, RefundStatus.DUE)]  # a week before: the tickets
    assert refunds(use, paid_soon) == []  # less than a day before: nothing
    for show_id in (later, soon):
        show = inventory_of(use, show_id)
        assert show is not None
        assert (show.available, show.taken) == (10, 0)


def test_what_was_used_or_is_over_stays_as_it_is(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    person_id = uuid4()
    used_id, past_id = show_with(), show_with()
    used, past, failed = (
        hold(used_id, buyer_id=person_id),
        hold(past_id, buyer_id=person_id),
        hold(past_id, buyer_id=person_id, ended=True),
    )
    capture(use, used)
    capture(use, past)
    admit(use, used)
    end(use, past_id)

    assert counted(purge(use, person_id)) == {"bookingsAnonymised": 3}

    assert [row.status for row in stored(use, used, past)] == ["CONFIRMED", "CONFIRMED"]
    assert refunds(use, used) == refunds(use, past) == []
    assert stored(use, failed)[0].status in {"PENDING", "FAILED"}


def test_a_hold_of_a_show_that_has_begun_is_released(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    person_id, show_id = uuid4(), show_with()
    booking = hold(show_id, buyer_id=person_id)
    end(use, show_id)

    assert counted(purge(use, person_id)) == {"holdsReleased": 1, "bookingsAnonymised": 1}
    assert stored(use, booking)[0].status == "FAILED"


def test_bookings_of_a_cancelled_show_are_refunded_in_full(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    person_id, show_id = uuid4(), show_with()
    booking = hold(show_id, buyer_id=person_id)
    capture(use, booking)
    cancel_show(use.begin, order=CancellationOrder(show_id, 2, "Ill", uuid4()))

    purge(use, person_id)
    cancel_bookings_of_show(use.begin, show_id=show_id)

    assert refunds(use, booking) == [Refund(49_900 + 4_491, RefundStatus.DUE)]


def test_all_bookings_of_a_person_have_one_reference_that_nobody_else_has(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id, people = show_with(), [uuid4(), uuid4()]
    bookings = [[book(use, show_id, buyer_id=each) for _ in range(2)] for each in people]

    for each in people:
        purge(use, each)

    references = [{row.user_id for row in stored(use, *some)} for some in bookings]
    assert [len(some) for some in references] == [1, 1]
    assert references[0] != references[1]
    for each in people:
        assert trace(use, each) == []
    for (reference,) in references:
        assert trace(use, reference) == ["booking.booking", "booking.buyer_show"]


INDIA = timedelta(hours=5, minutes=30)


@pytest.mark.parametrize(
    ("booked", "until"),
    [
        ("2026-03-31 23:59:59.999999+05:30", "2034-04-01 00:00+05:30"),
        ("2026-04-01 00:00+05:30", "2035-04-01 00:00+05:30"),
        ("2026-12-31 23:00+00:00", "2035-04-01 00:00+05:30"),
        ("2028-02-29 12:00+05:30", "2036-04-01 00:00+05:30"),
    ],
)
def test_records_are_kept_for_years_after_their_financial_year(
    booked: str,
    until: str,
    use: Wiring,
    show_with: ShowFactory,
    owner: "psycopg.Connection[Any]",
) -> None:
    person_id = uuid4()
    booking = book(use, show_with(), buyer_id=person_id)
    owner.execute("UPDATE booking.booking SET created_at = %s WHERE id = %s", (booked, booking.id))

    purge(use, person_id)

    assert stored(use, booking)[0].retain_until == datetime.fromisoformat(until)


@pytest.mark.parametrize(
    ("document", "years"),
    [({}, 8), ({"retentionYears": 3}, 3), ({"retentionYears": 0}, 8), ({"retentionYears": "x"}, 8)],
)
def test_how_long_is_configured(document: Mapping[str, Any], years: int) -> None:
    assert PlatformSettings(1, document).retention_years == years


def test_the_service_itself_can_change_no_booking_but_by_a_reference(
    use: Wiring, show_with: ShowFactory
) -> None:
    one, other = (book(use, show_with(), buyer_id=uuid4()) for _ in range(2))
    buyers = [row.user_id for row in stored(use, one, other)]
    for statement, complaint in (
        ("UPDATE booking.booking SET user_id = gen_random_uuid()", "permission denied"),
        ("UPDATE booking.booking SET retain_until = now()", "permission denied"),
        (
            f"SELECT booking.forget_person_v1('{buyers[0]}', '{buyers[1]}', 8)",
            "this reference is taken",
        ),
        (
            f"SELECT booking.forget_person_v1('{buyers[0]}', gen_random_uuid(), 0)",
            "are not kept for 0 years",
        ),
    ):
        with pytest.raises(DBAPIError, match=complaint), use.engine.begin() as connection:
            connection.exec_driver_sql(statement)
    assert [row.user_id for row in stored(use, one, other)] == buyers


# What becomes of a creator.


def test_shows_nobody_booked_go_and_the_others_stay_without_a_creator(
    use: Wiring, show_with: ShowFactory
) -> None:
    person_id, buyer_id = uuid4(), uuid4()
    poster = f"https://posters.example/{uuid4().hex}.webp"
    draft, past, given_up, own = (
        show_with(creator_id=person_id, poster_image_url=poster, on_sale=on_sale)
        for on_sale in (False, True, True, True)
    )
    seen = book(use, past, buyer_id=buyer_id)
    booking = book(use, given_up, buyer_id=buyer_id)
    cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id)
    book(use, own, buyer_id=person_id)
    end(use, past)

    answer = purge(use, person_id)

    assert counted(answer) == {
        "offersDeleted": 1,
        "showsKept": 3,
        "bookingsCancelled": 1,
        "bookingsAnonymised": 1,
    }
    assert inventory_of(use, draft) is None
    for show_id in (past, given_up, own):
        show = inventory_of(use, show_id)
        assert show is not None
        assert (show.offer.creator_id, show.offer.poster_image_url) == (None, None)
        assert not show.on_sale
    with use.read() as tx:
        history = tx.bookings.of_buyer(buyer_id, limit=10)
        assert {(each.id, each.status) for each in history} == {
            (seen.id, BookingStatus.CONFIRMED_UNPAID),
            (booking.id, CANCELLED),
        }
        assert tx.money_views.shows_of(person_id) == []
        assert tx.inventory.deleted_version(draft) == 1
    assert trace(use, person_id) == trace(use, poster) == []


def test_who_cancelled_shows_and_why_is_forgotten(use: Wiring, show_with: ShowFactory) -> None:
    person_id, admin_id, why = uuid4(), uuid4(), f"Because of {uuid4()}"
    own, by_admin, of_another = (
        show_with(creator_id=person_id),
        show_with(creator_id=person_id),
        show_with(),
    )
    for show_id, actor_id in ((own, person_id), (by_admin, admin_id), (of_another, person_id)):
        book(use, show_id)
        cancel_show(use.begin, order=CancellationOrder(show_id, 2, why, actor_id))
        cancel_bookings_of_show(use.begin, show_id=show_id)

    purge(use, person_id)

    assert trace(use, person_id) == trace(use, why) == []
    assert trace(use, admin_id) == ["booking.show_cancellation"]
    with use.read() as tx:
        for show_id in (own, by_admin, of_another):
            cancellation = tx.cancellations.of_show(show_id)
            assert cancellation is not None
            assert (cancellation.reason, cancellation.total) == (REASON_OF_NOBODY, 1)


def test_a_show_that_was_paid_out_without_a_booking_stays_too(
    use: Wiring, show_with: ShowFactory
) -> None:
    person_id = uuid4()
    show_id = show_with(creator_id=person_id)
    end(use, show_id)
    disburse(use.begin, show_id=show_id, actor_id=uuid4())

    assert counted(purge(use, person_id)) == {"showsKept": 1}


def test_whoever_paid_creators_out_is_unknown_to_the_ledger(
    use: Wiring, show_with: ShowFactory
) -> None:
    admin_id, show_id = uuid4(), show_with()
    end(use, show_id)
    disburse(use.begin, show_id=show_id, actor_id=admin_id)
    before = ledger(use, show_id)

    purge(use, admin_id)

    assert trace(use, admin_id) == []
    assert ledger(use, show_id) == before


def ledger(use: Wiring, show_id: UUID) -> list[Any]:
    with use.engine.connect() as connection:
        return list(
            connection.exec_driver_sql(
                "SELECT * FROM booking.ledger_entry WHERE show_id = %s ORDER BY id", (show_id,)
            )
        )


def test_without_a_fence_before_a_coming_show_is_cancelled_for_its_buyers(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    person_id, buyer_id = uuid4(), uuid4()
    show_id = show_with(creator_id=person_id)
    paid, late = hold(show_id, buyer_id=buyer_id), hold(show_id)
    capture(use, paid)

    answer = purge(use, person_id)
    cancel_bookings_of_show(use.begin, show_id=show_id)  # as the worker does

    assert counted(answer) == {"showsKept": 1, "showsCancelled": 1}
    assert refunds(use, paid) == [Refund(49_900 + 4_491, RefundStatus.DUE)]
    assert stored(use, paid)[0].user_id == buyer_id
    assert capture(use, late) is Captured.TO_REFUND
    assert trace(use, person_id) == []


def test_nothing_is_paid_out_for_a_show_without_a_creator(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    person_id = uuid4()
    show_id = show_with(creator_id=person_id)
    capture(use, hold(show_id))
    end(use, show_id)
    purge(use, person_id)

    with pytest.raises(PayoutOnHold):
        disburse(use.begin, show_id=show_id, actor_id=uuid4())


# Commands that come twice, late, or in the wrong order.


def test_a_repeat_answers_the_same_counts(use: Wiring, show_with: ShowFactory) -> None:
    person_id, saga_id = uuid4(), uuid4()
    book(use, show_with(), buyer_id=person_id)
    fence_person(use.begin, saga_id=saga_id, person_id=person_id)
    first = purge(use, person_id, saga_id=saga_id)

    assert purge(use, person_id, saga_id=saga_id) == first
    for command in (fence_person, lift_fence):
        assert command(use.begin, saga_id=saga_id, person_id=person_id) == first


def test_who_is_gone_is_gone_for_every_other_deletion(use: Wiring, show_with: ShowFactory) -> None:
    person_id = uuid4()
    book(use, show_with(), buyer_id=person_id)
    first = purge(use, person_id)

    assert purge(use, person_id, saga_id=uuid4()) == first
    with pytest.raises(AnotherDeletion):
        fence_person(use.begin, saga_id=uuid4(), person_id=person_id)


def test_the_fence_of_a_deletion_that_a_backup_brought_back_gives_way(
    use: Wiring, show_with: ShowFactory
) -> None:
    person_id, brought_back = uuid4(), uuid4()
    booking = book(use, show_with(), buyer_id=person_id)
    fence_person(use.begin, saga_id=brought_back, person_id=person_id)

    assert purge(use, person_id, saga_id=uuid4()).state is Outcome.PURGED

    assert trace(use, person_id) == []
    assert trace(use, booking.id) != []
    late = fence_person(use.begin, saga_id=brought_back, person_id=person_id)
    assert late.state is Outcome.LIFTED


def test_a_lifted_deletion_deletes_nothing(use: Wiring, show_with: ShowFactory) -> None:
    person_id, saga_id = uuid4(), uuid4()
    booking = book(use, show_with(), buyer_id=person_id)
    lift_fence(use.begin, saga_id=saga_id, person_id=person_id)

    assert purge(use, person_id, saga_id=saga_id) == Answer(Outcome.LIFTED)
    assert stored(use, booking)[0].user_id == person_id


def test_much_is_purged_in_parts_that_nothing_takes_back(
    use: Wiring, show_with: ShowFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "BOOKINGS_AT_ONCE", 2)
    monkeypatch.setattr(purging, "SHOWS_AT_ONCE", 2)
    person_id, saga_id = uuid4(), uuid4()
    shows = [show_with() for _ in range(5)]
    bookings = [book(use, show_id, buyer_id=person_id) for show_id in shows]
    for _ in range(5):
        show_with(creator_id=person_id)
    ids = {"saga_id": saga_id, "person_id": person_id}

    for _ in range(2):
        assert purging.purge_person(use.begin, **ids) == Answer(PURGING)
        assert lift_fence(use.begin, **ids) == Answer(PURGING)
        assert fence_person(use.begin, **ids) == Answer(PURGING)
        assert stored(use, bookings[0])[0].user_id == person_id
    answer = purging.purge_person(use.begin, **ids)

    assert counted(answer) == {
        "bookingsCancelled": 5,
        "bookingsAnonymised": 5,
        "offersDeleted": 5,
    }
    assert len({row.user_id for row in stored(use, *bookings)}) == 1
    assert trace(use, person_id) == []


def test_a_person_with_thousands_of_rows_is_purged(
    use: Wiring, show_with: ShowFactory, owner: "psycopg.Connection[Any]"
) -> None:
    person_id, show_id = uuid4(), show_with()
    template = book(use, show_id, buyer_id=person_id)
    columns = [
        column.name
        for column in models.BookingRow.__table__.columns
        if column.name not in {"id", "status"}
    ]
    names = ", ".join(columns)
    owner.execute(
        f"INSERT INTO booking.booking (id, status, {names})"  # noqa: S608
        f" SELECT gen_random_uuid(), 'CANCELLED', {names}"
        " FROM booking.booking, generate_series(1, 5000) WHERE id = %s",
        (template.id,),
    )

    answer = purge(use, person_id)

    assert answer.counts["bookingsAnonymised"] == 5_001
    assert trace(use, person_id) == []
    # 5000 rows that no move explains would contradict the invariants
    owner.execute("ALTER TABLE booking.booking DISABLE TRIGGER USER")
    owner.execute(
        "DELETE FROM booking.booking WHERE show_id = %s AND id <> %s", (show_id, template.id)
    )
    owner.execute("ALTER TABLE booking.booking ENABLE TRIGGER USER")


# What comes too late for somebody who is gone.


def test_late_news_of_a_creator_who_is_gone_change_nothing(
    use: Wiring, show_with: ShowFactory
) -> None:
    person_id = uuid4()
    kept = show_with(creator_id=person_id)
    book(use, kept)
    end(use, kept)
    purge(use, person_id)
    newer = make_offer(show_id=kept, version=9, creator_id=person_id)
    asked: list[str] = []
    identity = Agreed(during=lambda: asked.append("identity"))

    assert put_offer(use.begin, offer=make_offer(creator_id=person_id)) == 1
    assert put_offer(use.begin, offer=newer) == 9
    said = Standing(False, 7)
    assert set_standing(use.begin, creator_id=person_id, said=said) == said
    learn_terms(use.begin, identity, creator_id=person_id)

    assert asked == []
    assert trace(use, person_id) == []
    assert_orphan(use, kept)


def assert_orphan(use: Wiring, show_id: UUID) -> None:
    show = inventory_of(use, show_id)
    assert show is not None
    assert (show.offer.creator_id, show.on_sale) == (None, False)


@pytest.mark.parametrize("learn", ["learn", "refresh"])
def test_terms_that_arrive_when_their_creator_is_gone_are_not_kept(
    learn: str, use: Wiring, show_with: ShowFactory
) -> None:
    person_id = uuid4()
    show_with(creator_id=person_id)
    identity = Agreed(during=lambda: purge(use, person_id))
    if learn == "learn":
        learn_terms(use.begin, identity, creator_id=person_id)
    else:
        learn_terms(use.begin, Agreed(), creator_id=person_id)
        saga_id = uuid4()
        identity = Agreed(during=lambda: purge(use, person_id, saga_id=saga_id))
        refresh_creator_terms(use.begin, identity)

    assert trace(use, person_id) == []


def test_a_late_cancellation_takes_effect_and_names_nobody(
    use: Wiring, show_with: ShowFactory
) -> None:
    person_id, show_id, why = uuid4(), show_with(), f"Because of {uuid4()}"
    booking = book(use, show_id)
    purge(use, person_id)

    order = CancellationOrder(show_id, 2, why, person_id)
    assert cancel_show(use.begin, order=order) == (True, 2)
    cancel_bookings_of_show(use.begin, show_id=show_id)

    assert stored(use, booking)[0].status == "CANCELLED"
    assert trace(use, person_id) == trace(use, why) == []


def test_whoever_is_gone_does_nothing_any_more(use: Wiring, show_with: ShowFactory) -> None:
    person_id = uuid4()
    show_id = show_with(creator_id=person_id, starts_at=datetime.now(UTC) + timedelta(hours=1))
    of_another, past = show_with(), show_with()
    booking = book(use, show_id)
    own = book(use, of_another, buyer_id=person_id)
    end(use, past)
    seat = Seat(booking.id, show_id, 1, paid=False)
    code = use.ticket_keys.code(seat, booked_at=booking.created_at)
    purge(use, person_id)

    with pytest.raises(AccountClosed):
        check_in(
            use.begin, use.ticket_keys, code=code, nonce="n", actor_id=person_id, as_admin=False
        )
    with pytest.raises(TicketNotFound):
        check_in(use.begin, use.ticket_keys, code=code, nonce="n", actor_id=uuid4(), as_admin=False)
    with pytest.raises(AccountClosed):
        disburse(use.begin, show_id=past, actor_id=person_id)
    key = IdempotencyKey("late", "fingerprint")
    with pytest.raises(AccountClosed):
        cancel_booking(use.begin, buyer_id=person_id, booking_id=own.id, key=key)
    assert trace(use, person_id) == []


def test_money_that_comes_for_somebody_who_is_gone_goes_back_in_full(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    person_id, show_id = uuid4(), show_with()
    held, ended, paid = (hold(show_id, buyer_id=person_id, ended=each) for each in (0, 1, 0))
    capture(use, paid)
    purge(use, person_id)

    assert capture(use, held) is Captured.TO_REFUND
    assert capture(use, ended) is Captured.TO_REFUND
    assert capture(use, paid) is Captured.TO_REFUND
    assert {row.status for row in stored(use, held, ended)} == {"FAILED"}


# At the same moment.


def test_a_purge_and_captures_at_once_lose_no_money(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    for _ in range(8):
        person_id, show_id = uuid4(), show_with(capacity=10)
        booking = hold(show_id, buyer_id=person_id)

        with ThreadPoolExecutor(3) as pool:
            captured = pool.submit(capture, use, booking)
            purges = [pool.submit(purge, use, person_id, saga_id=show_id) for _ in range(2)]
            answers = [each.result() for each in purges]

        assert answers[0] == answers[1]
        (row,) = stored(use, booking)
        if captured.result() is Captured.CONFIRMED:
            assert row.status == "CANCELLED"
            assert refunds(use, booking) == [Refund(49_900, RefundStatus.DUE)]
        else:
            assert (captured.result(), row.status) == (Captured.TO_REFUND, "FAILED")
        assert row.retain_until is not None
        show = inventory_of(use, show_id)
        assert show is not None
        assert (show.available, show.taken) == (10, 0)
        assert trace(use, person_id) == []
        with use.engine.connect() as connection:
            active = connection.exec_driver_sql(
                "SELECT sum(active) FROM booking.buyer_show WHERE show_id = %s", (show_id,)
            )
            assert active.scalar_one() == 0


def test_a_purge_waits_for_what_the_person_does(use: Wiring, show_with: ShowFactory) -> None:
    person_id, show_id = uuid4(), show_with()
    booking = book(use, show_id, buyer_id=person_id)

    with ThreadPoolExecutor(1) as pool:
        with use.begin() as tx:  # as `cancel_booking` with a key
            assert not tx.deletions.is_gone(person_id)
            purged = pool.submit(purge, use, person_id)
            eventually(lambda: waiting(use))
            tx.idempotency_keys.keep(person_id, "cancel", IdempotencyKey("k", "f"), {"id": "1"})
        assert purged.result().state is PURGED

    assert trace(use, person_id) == []
    assert stored(use, booking)[0].status == "CANCELLED"


class Busy:
    """What others write of a person whose purge begins in that moment."""

    def __init__(self, use: Wiring, show_with: ShowFactory) -> None:
        self.use = use
        self.person_id, self.show_id, self.saga_id = uuid4(), uuid4(), uuid4()
        self.booking = book(use, show_with(), buyer_id=self.person_id)
        self.own = [show_with(creator_id=self.person_id) for _ in range(4)]
        for show_id in self.own:
            book(use, show_id, buyer_id=self.person_id)

    def offers(self) -> None:
        for version in range(1, 6):
            ids = {"show_id": self.show_id, "creator_id": self.person_id}
            offer = make_offer(version=version, **ids)
            patiently(partial(put_offer, self.use.begin, offer=offer))

    def standings(self) -> None:
        for version in range(1, 6):
            said = Standing(version % 2 == 0, version)
            ids = {"creator_id": self.person_id}
            patiently(partial(set_standing, self.use.begin, said=said, **ids))

    def terms(self) -> None:
        for _ in range(5):
            ids = {"creator_id": self.person_id}
            patiently(partial(learn_terms, self.use.begin, Agreed(), **ids))

    def cancellation(self) -> None:
        with suppress(AccountClosed):
            ids = {"buyer_id": self.person_id, "booking_id": self.booking.id}
            key = IdempotencyKey("k", "f")
            patiently(partial(cancel_booking, self.use.begin, key=key, **ids))

    def purge(self) -> None:
        purge(self.use, self.person_id, saga_id=self.saga_id)


def test_what_happens_during_a_purge_leaves_no_trace(use: Wiring, show_with: ShowFactory) -> None:
    for _ in range(5):
        busy = Busy(use, show_with)
        jobs = [busy.offers, busy.standings, busy.terms, busy.cancellation, busy.purge, busy.purge]

        with ThreadPoolExecutor(len(jobs)) as pool:
            for done in [pool.submit(job) for job in jobs]:
                done.result()

        assert trace(use, busy.person_id) == []
        assert inventory_of(use, busy.show_id) is None
        for show_id in busy.own:
            assert_orphan(use, show_id)


def test_bookings_of_others_are_not_touched(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    person_id, show_id = uuid4(), show_with()
    others = [hold(show_id), hold(show_id)]
    capture(use, others[0])
    hold(show_id, buyer_id=person_id)
    before = stored(use, *others)

    purge(use, person_id)

    assert stored(use, *others) == before


# Who came back.


def test_people_who_are_gone_and_came_back_are_found(
    use: Wiring, show_with: ShowFactory, owner: "psycopg.Connection[Any]"
) -> None:
    people = [uuid4() for _ in range(8)]
    buyer, creator, revoked, agreed, actor, admin, keyed, gone = people
    show_id = show_with(creator_id=creator)
    book(use, show_id, buyer_id=buyer)
    set_standing(use.begin, creator_id=revoked, said=Standing(False, 1))
    learn_terms(use.begin, Agreed(), creator_id=agreed)
    cancelled, past = show_with(), show_with()
    cancel_show(use.begin, order=CancellationOrder(cancelled, 2, "Ill", actor))
    end(use, past)
    disburse(use.begin, show_id=past, actor_id=admin)
    with use.begin() as tx:
        tx.idempotency_keys.keep(keyed, "x", IdempotencyKey("k", "f"), {"id": str(uuid4())})
    book(use, show_with(), buyer_id=gone)
    purge(use, gone)

    def remains(*of: UUID) -> set[UUID]:
        hashes = [use.person_hashes.of(each) for each in of]
        return set(find_remains(use.read, use.person_hashes, of=hashes))

    assert remains(*people) == set(people) - {gone}
    assert remains(uuid4()) == set()
    owner.execute("DELETE FROM booking.idempotency_key WHERE user_id = %s", (keyed,))


def test_remains_are_found_page_by_page(
    use: Wiring, show_with: ShowFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("booking_service.usecases.find_remains.PEOPLE_AT_ONCE", 3)
    show_id, people = show_with(), [uuid4() for _ in range(5)]
    for each in people:
        book(use, show_id, buyer_id=each)
    hashes = [use.person_hashes.of(each) for each in people]

    assert set(find_remains(use.read, use.person_hashes, of=hashes)) == set(people)


# Every column there is.

GOES = {
    "creator_standing": {"creator_id", "allowed", "version", "updated_at"},
    "creator_terms": {"creator_id", "platform_fee_basis_points", "confirmed_at"},
    "idempotency_key": {"user_id", "operation", "key", "fingerprint", "facts", "created_at"},
    "ledger_person": {"reference", "user_id"},
}
"""Tables of which a person's rows are removed."""

CLEARED = {
    "booking": {"user_id"},
    "buyer_show": {"user_id"},
    "ticket_inventory": {"creator_id", "poster_image_url", "creator_fee_basis_points"},
    "show_cancellation": {"actor_id", "reason"},
}
"""Columns in which a reference, or nothing, takes the place of a person."""

ABOUT_NOBODY = {
    "ticket_inventory": {
        "show_id", "capacity", "available", "locked", "sold", "version", "title", "venue", "city",
        "starts_at", "duration_minutes", "price_paise", "platform_fee_basis_points", "on_sale",
        "creator_allowed", "moved_at", "cancelled_at", "updated_at",
    },
    "show_cancellation": {"show_id", "version", "total", "started_at", "completed_at"},
    "deleted_offer": {"show_id", "version", "deleted_at"},
    "booking": {
        "id", "show_id", "quantity", "unit_price_paise", "ticket_total_paise",
        "convenience_fee_basis_points", "convenience_fee_paise", "platform_fee_basis_points",
        "platform_fee_paise", "fee_schedule_version", "settings_version", "refund_policy", "status",
        "expires_at", "retain_until", "created_at", "updated_at",
    },
    "booking_move": {"id", "booking_id", "from_status", "to_status", "moved_at"},
    "refund": {
        "id", "booking_id", "reason", "ticket_paise", "convenience_fee_paise", "status",
        "payment_id", "attempt", "provider_refund_id", "failure", "created_at", "updated_at",
    },
    "payment_order": {
        "order_id", "booking_id", "provider", "key_id", "amount_paise", "currency", "check_at",
        "created_at",
    },
    "payment": {
        "payment_id", "order_id", "amount_paise", "currency", "status", "verdict", "created_at",
        "updated_at",
    },
    "payment_news": {
        "id", "digest", "event", "order_id", "payment_id", "received_at", "handled_at",
    },
    "ticket_key": {
        "kid", "public_key", "encrypted_private_key", "active_from", "withdrawn_at", "created_at",
    },
    "admission": {"booking_id", "seat", "nonce", "by_admin", "admitted_at"},
    "ledger_entry": {
        "id", "show_id", "booking_id", "kind", "ticket_paise", "convenience_fee_paise",
        "platform_fee_paise", "paid_out_paise", "actor", "created_at",
    },
    "buyer_show": {"show_id", "active"},
    "notice": {
        "id", "booking_id", "kind", "refund_id", "batch_id", "outcome", "created_at", "done_at",
    },
    "notice_scan": {"sole", "began_at", "found_until"},
    "account_deletion": {
        "saga_id", "person_hash", "state", "counts", "created_at", "ended_at",
    },
    "platform_settings": {"version", "document", "received_at", "confirmed_at"},
    "rate_count": {"ends_at", "digest", "total"},
    "fee_schedule": {
        "version", "platform_fee_basis_points", "slabs", "received_at", "confirmed_at",
    },
}  # fmt: skip


def test_no_column_comes_to_name_a_person_unseen() -> None:
    """A new column belongs into one of the three tables above, and in the first two is purged."""
    tables: Any = models.Base.metadata.tables.values()
    stored = {table.name: {column.name for column in table.columns} for table in tables}

    declared: dict[str, set[str]] = {}
    for kind in (GOES, CLEARED, ABOUT_NOBODY):
        for name, columns in kind.items():
            assert not declared.setdefault(name, set()) & columns
            declared[name] |= columns
    assert declared == stored

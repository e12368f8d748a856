"""The SQL function as such: a batch is judged in order, and stale terms are noticed."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from services.booking.tests.conftest import make_offer, patiently
from sqlalchemy import Connection

from booking_service.domain.creators import Standing
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.set_standing import set_standing
from booking_service.wiring import Wiring
from devstack.testing import eventually

ShowFactory = Callable[..., UUID]

MANY = 12  # requests that are surely worth to be served together
IN_TURN = "reserve_in_turn_v2"  # takes no locks: for tests that have none to wait for


def request(number: int, show_id: UUID, **changes: Any) -> dict[str, Any]:
    quantity = changes.get("quantity", 1)
    return {
        "n": number,
        "booking_id": str(uuid4()),
        "show_id": str(show_id),
        "user_id": str(uuid4()),
        "person_hash": "00" * 32,
        "quantity": quantity,
        "operation": "test",
        "key": None,
        "fingerprint": None,
        "status": "CONFIRMED_UNPAID",
        "hold_seconds": 600,
        "too_large": False,
        "person_limit": 10,
        "hold_limit": 30,
        "unit_price_paise": 10_000,
        "own_platform_fee_basis_points": None,
        "expected_total_paise": None,
        "grand_total_paise": 10_700 * quantity,
        "ticket_total_paise": 10_000 * quantity,
        "convenience_fee_basis_points": 700,
        "convenience_fee_paise": 700 * quantity,
        "platform_fee_basis_points": 800,
        "platform_fee_paise": 800 * quantity,
        "fee_schedule_version": 1,
        "settings_version": 1,
        "refund_policy": {"tiers": [], "refunds_convenience_fee": False},
        **changes,
    }


def answers(
    use: Wiring, *requests: dict[str, Any], function: str = "reserve_v4"
) -> dict[int, tuple[str, dict[str, Any] | None]]:
    with use.engine.begin() as connection:
        found = _ask(connection, requests, function)
    assert sorted(found) == sorted(each["n"] for each in requests)
    return found


def _ask(
    connection: Connection, requests: Sequence[dict[str, Any]], function: str = "reserve_v4"
) -> dict[int, tuple[str, dict[str, Any] | None]]:
    more = ", '{}'" if function == IN_TURN else ""  # nobody's account is closed
    rows = connection.exec_driver_sql(
        f"SELECT n, outcome, facts FROM booking.{function}(%s::jsonb{more})",  # noqa: S608
        (json.dumps(requests),),
    )
    return {n: (outcome, facts) for n, outcome, facts in rows}


def outcomes(use: Wiring, *requests: dict[str, Any], function: str = "reserve_v4") -> list[str]:
    found = answers(use, *requests, function=function)
    return [found[each["n"]][0] for each in requests]


def seats(use: Wiring, show_id: UUID) -> tuple[int, int, int]:
    with use.read() as tx:
        inventory = tx.inventory.of(show_id)
    assert inventory is not None
    return inventory.available, inventory.locked, inventory.sold


def test_a_batch_is_served_in_order_and_a_later_smaller_request_may_fit(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with(capacity=5, price_paise=10_000)

    assert outcomes(
        use,
        request(1, show_id, quantity=4),
        request(2, show_id, quantity=2),
        request(3, show_id, quantity=1),
    ) == ["RESERVED", "SOLD_OUT", "RESERVED"]


def test_the_same_key_twice_in_a_batch_shares_the_answer(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with(capacity=5, price_paise=10_000)
    same = {"user_id": str(uuid4()), "key": "k", "fingerprint": "f"}

    assert outcomes(use, request(1, show_id, **same), request(2, show_id, **same)) == [
        "RESERVED",
        "RESERVED",
    ]
    assert seats(use, show_id) == (4, 0, 1)


def test_a_price_that_is_no_longer_the_offers_takes_nothing(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with(price_paise=20_000)

    assert outcomes(use, request(1, show_id, unit_price_paise=10_000)) == ["TERMS_MOVED"]


def test_a_platform_fee_that_is_no_longer_the_offers_takes_nothing(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with(price_paise=10_000, platform_fee_basis_points=500)

    assert outcomes(use, request(1, show_id)) == ["TERMS_MOVED"]


def test_a_batch_may_mix_shows_and_unknown_ones(use: Wiring, show_with: ShowFactory) -> None:
    one, other = (show_with(price_paise=10_000) for _ in range(2))

    assert outcomes(use, request(1, one), request(2, uuid4()), request(3, other)) == [
        "RESERVED",
        "UNKNOWN_SHOW",
        "RESERVED",
    ]


@pytest.mark.parametrize("function", ["reserve_v2", "reserve_v3", "reserve_unhindered_v1"])
def test_the_functions_of_before_sell_and_respect_standings(
    use: Wiring, show_with: ShowFactory, function: str
) -> None:
    creator_id = uuid4()
    show_id = show_with(price_paise=10_000, creator_id=creator_id)

    def sell() -> list[str]:
        wish = request(1, show_id)
        del wish["hold_limit"]  # of which they know nothing
        return outcomes(use, wish, function=function)

    assert sell() == ["RESERVED"]
    set_standing(use.begin, creator_id=creator_id, said=Standing(allowed=False, version=1))
    assert sell() == ["NOT_ON_SALE"]


def test_a_batch_judges_each_request_by_its_own_limits_and_status(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with(price_paise=10_000)

    assert outcomes(
        use,
        request(1, show_id, too_large=True),
        request(2, show_id, quantity=2, person_limit=1),
        request(3, show_id, quantity=2, status="PENDING"),
        request(4, show_id, quantity=3),
    ) == ["TOO_LARGE", "LIMIT_REACHED", "RESERVED", "RESERVED"]
    assert seats(use, show_id)[1:] == (2, 3)


def test_ended_holds_make_room_for_those_who_come_too_late_for_the_rest(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with(price_paise=10_000, capacity=4)
    held = {"status": "PENDING", "hold_seconds": 0}
    outcomes(use, request(1, show_id, quantity=2, **held))
    outcomes(use, request(1, show_id, quantity=1, status="PENDING"))

    assert outcomes(use, request(1, show_id, quantity=4), request(2, show_id, quantity=3)) == [
        "SOLD_OUT",
        "RESERVED",
    ]


def test_an_ended_hold_does_not_count_for_the_limit_of_its_buyer(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id, buyer = show_with(price_paise=10_000), {"user_id": str(uuid4()), "quantity": 6}
    outcomes(use, request(1, show_id, status="PENDING", hold_seconds=0, **buyer))

    assert outcomes(use, request(1, show_id, **buyer)) == ["RESERVED"]
    assert outcomes(use, request(1, show_id, **buyer)) == ["LIMIT_REACHED"]


def test_many_are_served_together_each_with_an_answer_of_its_own(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id, free = show_with(price_paise=10_000, capacity=100), show_with(price_paise=10_000)
    full, closed = show_with(price_paise=10_000, capacity=1), show_with(on_sale=False)
    regular = str(uuid4())
    requests = [
        *(
            request(n, show_id, quantity=1 + n % 3, key=f"k{n}", fingerprint="f")
            for n in range(MANY)
        ),
        request(20, free, status="PENDING", quantity=4),
        request(21, full, quantity=2),
        request(22, closed),
        request(23, uuid4()),
        request(24, show_id, unit_price_paise=9_000),
        request(25, show_id, expected_total_paise=1),
        request(26, show_id, too_large=True),
        request(27, show_id, quantity=2, person_limit=1),
        *(request(28 + n, show_id, quantity=5, user_id=regular) for n in range(2)),
    ]

    found = answers(use, *requests)

    assert [found[n][0] for n in range(20, 30)] == [
        "RESERVED",
        "SOLD_OUT",
        "NOT_ON_SALE",
        "UNKNOWN_SHOW",
        "TERMS_MOVED",
        "PRICE_CHANGED",
        "TOO_LARGE",
        "LIMIT_REACHED",
        "RESERVED",
        "RESERVED",
    ]
    for n in range(MANY):
        outcome, facts = found[n]
        assert outcome == "RESERVED"
        assert facts is not None
        assert (facts["id"], facts["quantity"]) == (requests[n]["booking_id"], 1 + n % 3)
    assert seats(use, show_id) == (100 - 24 - 10, 0, 24 + 10)
    assert seats(use, free) == (96, 4, 0)
    assert outcomes(use, *requests[:MANY]) == ["RESERVED"] * MANY
    assert answers(use, *requests[:MANY]) == {n: found[n] for n in range(MANY)}
    assert seats(use, show_id) == (100 - 24 - 10, 0, 24 + 10)


@dataclass(frozen=True)
class Wish:
    """A request with names for what exists once for each of the functions."""

    show: int
    buyer: int
    key: int | None
    changes: dict[str, Any]

    def request(self, number: int, shows: list[UUID], buyers: list[UUID]) -> dict[str, Any]:
        key = None if self.key is None else f"k{self.key}"
        return request(
            number,
            shows[self.show],
            user_id=str(buyers[self.buyer]),
            key=key,
            fingerprint=key and f"{self.show}{self.changes}",
            **self.changes,
        )


wishes = st.lists(
    st.builds(
        Wish,
        show=st.integers(0, 3),
        buyer=st.integers(0, 5),
        key=st.none() | st.none() | st.integers(0, 3),
        changes=st.fixed_dictionaries(
            {"quantity": st.integers(1, 4), "hold_limit": st.sampled_from([5, 9, 30])},
            optional={
                "status": st.just("PENDING"),
                "hold_seconds": st.sampled_from([0, 600]),
                "too_large": st.booleans(),
                "person_limit": st.sampled_from([3, 8]),
                "unit_price_paise": st.sampled_from([10_000, 10_000, 9_999]),
                "expected_total_paise": st.sampled_from([1, 10_700]),
            },
        ),
    ),
    min_size=1,
    max_size=14,
)


@pytest.mark.parametrize("function", [IN_TURN, "reserve_v4"])
@pytest.mark.parametrize(
    ("before", "limits"),
    [
        pytest.param(20, (30, 30), id="with-what-was-held-before"),
        pytest.param(0, (30, 9), id="by-the-narrower-limit"),
    ],
)
def test_two_wishes_of_one_batch_fit_alone_but_not_together(
    use: Wiring, show_with: ShowFactory, function: str, before: int, limits: tuple[int, int]
) -> None:
    buyer, pending = str(uuid4()), {"status": "PENDING", "person_limit": 100}
    for _ in range(before // 10):
        earlier = request(0, show_with(price_paise=10_000), user_id=buyer, quantity=10, **pending)
        assert answers(use, earlier, function=IN_TURN)[0][0] == "RESERVED"

    wishes = [
        request(
            n,
            show_with(price_paise=10_000),
            quantity=6,
            **pending,
            **({"user_id": buyer, "hold_limit": limits[n]} if n < 2 else {}),
        )
        for n in range(4)
    ]
    found = answers(use, *wishes, function=function)

    outcomes = [found[n][0] for n in range(4)]
    assert outcomes == ["RESERVED", "TOO_MANY_HELD", "RESERVED", "RESERVED"]


# Little is refused but what would be held: with all the rest, such batches are served in turn.
holds = st.lists(
    st.builds(
        Wish,
        show=st.integers(0, 1),
        buyer=st.integers(0, 2),
        key=st.none(),
        changes=st.fixed_dictionaries(
            {"quantity": st.integers(1, 3), "hold_limit": st.sampled_from([4, 7])},
            optional={"status": st.just("PENDING"), "person_limit": st.just(3)},
        ),
    ),
    min_size=4,
    max_size=6,
)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(batches=st.lists(wishes | holds, min_size=1, max_size=3), roomy=st.booleans())
def test_together_or_in_turn_every_batch_ends_the_same(
    use: Wiring, batches: list[list[Wish]], roomy: bool
) -> None:
    ends = [
        _ends_of(use, function, batches, capacity=60 if roomy else 7)
        for function in (IN_TURN, "reserve_v4")
    ]

    assert ends[0] == ends[1]


def _ends_of(use: Wiring, function: str, batches: list[list[Wish]], *, capacity: int) -> list[Any]:
    offers = [
        make_offer(price_paise=10_000, capacity=capacity),
        make_offer(price_paise=10_000, capacity=capacity + 1),
        make_offer(price_paise=10_000, capacity=capacity, platform_fee_basis_points=500),
        make_offer(price_paise=10_000, starts_at=datetime.now(UTC) - timedelta(minutes=1)),
    ]
    for offer in offers:
        put_offer(use.begin, offer=offer)
    shows = [offer.show_id for offer in offers]
    buyers = [uuid4() for _ in range(6)]
    ends: list[Any] = []
    for batch in batches:
        requests = [wish.request(n, shows, buyers) for n, wish in enumerate(batch)]
        numbers = {each["booking_id"]: each["n"] for each in requests}
        found = answers(use, *requests, function=function)
        ends += [
            (n, outcome, facts and (numbers.get(facts["id"]), _without_names(facts)))
            for n, (outcome, facts) in sorted(found.items())
        ]
        ends += [_taken(use, show_id) for show_id in shows]
    with use.engine.connect() as connection:
        active = connection.exec_driver_sql(
            "SELECT user_id, show_id, active - coalesce(sum(b.quantity), 0)"
            " FROM booking.buyer_show LEFT JOIN ("
            "     SELECT user_id, show_id, quantity FROM booking.booking"
            "     WHERE status = 'PENDING' AND expires_at <= now()"
            " ) AS b USING (user_id, show_id)"
            " WHERE show_id = ANY (%s) GROUP BY user_id, show_id, active",
            (shows,),
        )
        ends.append(sorted((buyers.index(u), shows.index(s), number) for u, s, number in active))
        stored = connection.exec_driver_sql(
            "SELECT user_id, show_id, quantity, unit_price_paise, ticket_total_paise,"
            " convenience_fee_basis_points, convenience_fee_paise, platform_fee_basis_points,"
            " platform_fee_paise, fee_schedule_version, settings_version, refund_policy::text,"
            " CASE WHEN status = 'PENDING' AND expires_at <= now() THEN 'FAILED' ELSE status END,"
            " expires_at IS NULL FROM booking.booking WHERE show_id = ANY (%s)",
            (shows,),
        )
        ends.append(sorted((buyers.index(u), shows.index(s), *rest) for u, s, *rest in stored))
        keys = connection.exec_driver_sql(
            "SELECT user_id, operation, key FROM booking.idempotency_key WHERE user_id = ANY (%s)",
            (buyers,),
        )
        ends.append(sorted((buyers.index(user), *rest) for user, *rest in keys))
    return ends


def _taken(use: Wiring, show_id: UUID) -> tuple[int, int]:
    """Return what is held and sold; holds that a batch began and ended are tidied in turn only."""
    _, locked, sold = seats(use, show_id)
    with use.engine.connect() as connection:
        ended = connection.exec_driver_sql(
            "SELECT coalesce(sum(quantity), 0) FROM booking.booking"
            " WHERE show_id = %s AND status = 'PENDING' AND expires_at <= now()",
            (show_id,),
        )
        return locked - int(ended.scalar_one()), sold


def _without_names(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what two bookings of different shows at different moments have in common."""
    show = {**facts["show"], "id": None, "starts_at": None}
    moments = {"created_at": None, "expires_at": facts["expires_at"] is None}
    return {**facts, **moments, "id": None, "show": show}


@pytest.mark.parametrize("others", [0, MANY])
def test_nothing_is_sold_to_whose_account_is_closed_and_a_repeat_has_its_first_answer(
    use: Wiring, show_with: ShowFactory, others: int
) -> None:
    show_id, buyer = show_with(price_paise=10_000), uuid4()
    person_hash = use.person_hashes.of(buyer).hex()
    theirs = {"user_id": str(buyer), "person_hash": person_hash, "fingerprint": "f"}
    first = request(0, show_id, key="first", **theirs)
    made = answers(use, first)[0]
    close(use, buyer)
    crowd = [request(100 + n, show_id) for n in range(others)]

    found = answers(
        use,
        first,
        request(1, show_id, key="second", **theirs),
        request(2, show_id, **{**theirs, "key": "first", "fingerprint": "other"}),
        *crowd,
    )

    assert found[0] == made
    assert [found[1], found[2][0]] == [("ACCOUNT_CLOSED", None), "KEY_REUSED"]
    assert {found[each["n"]][0] for each in crowd} <= {"RESERVED"}
    assert seats(use, show_id) == (100 - 1 - others, 0, 1 + others)


def test_who_has_kept_the_account_after_all_may_buy(use: Wiring, show_with: ShowFactory) -> None:
    show_id, buyer = show_with(price_paise=10_000), uuid4()
    close(use, buyer, state="LIFTED")

    wish = {"user_id": str(buyer), "person_hash": use.person_hashes.of(buyer).hex()}

    assert outcomes(use, request(1, show_id, **wish)) == ["RESERVED"]


def overlapping(
    use: Wiring, first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> tuple[list[str], list[str]]:
    """Serve two batches in transactions of which the second begins before the first has ended."""
    with use.engine.begin() as connection, ThreadPoolExecutor(1) as other:
        before = _ask(connection, first)
        asked = other.submit(lambda: patiently(lambda: outcomes(use, *second)))
        eventually(lambda: asked.done() or _somebody_waits(use))
        assert not asked.done()
        connection.commit()
        after = asked.result()
    return [before[each["n"]][0] for each in first], after


def _somebody_waits(use: Wiring) -> bool:
    with use.engine.connect() as connection:
        waiting = connection.exec_driver_sql(
            "SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND strpos(query, 'reserve_v4') > 0"
        )
        return waiting.rowcount > 0


@pytest.mark.parametrize("many", [2, 5], ids=["in turn", "together"])
def test_nobody_gets_beyond_the_limit_in_two_transactions_at_once(
    use: Wiring, show_with: ShowFactory, many: int
) -> None:
    show_id, buyer = show_with(price_paise=10_000), str(uuid4())
    batch = [request(n, show_id, user_id=buyer, quantity=10 // many) for n in range(many)]
    again = [{**each, "booking_id": str(uuid4())} for each in batch]

    assert overlapping(use, batch, again) == (["RESERVED"] * many, ["LIMIT_REACHED"] * many)
    assert seats(use, show_id) == (90, 0, 10)


@pytest.mark.parametrize("many", [2, 5], ids=["in turn", "together"])
def test_two_transactions_at_once_sell_no_seat_twice(
    use: Wiring, show_with: ShowFactory, many: int
) -> None:
    show_id = show_with(price_paise=10_000, capacity=many)
    batches = [[request(n, show_id) for n in range(many)] for _ in range(2)]

    assert overlapping(use, *batches) == (["RESERVED"] * many, ["SOLD_OUT"] * many)


@pytest.mark.parametrize("many", [2, 5], ids=["in turn", "together"])
def test_a_key_has_one_effect_in_two_transactions_at_once(
    use: Wiring, show_with: ShowFactory, many: int
) -> None:
    one, other = (show_with(price_paise=10_000) for _ in range(2))
    batch = [request(n, one, key=f"key {n}", fingerprint="one") for n in range(many)]
    new = {"show_id": str(other), "fingerprint": "other"}
    again = [{**each, **new, "booking_id": str(uuid4())} for each in batch]

    assert overlapping(use, batch, again) == (["RESERVED"] * many, ["KEY_REUSED"] * many)


def holding(number: int, show_id: UUID, buyer: UUID, **changes: Any) -> dict[str, Any]:
    """Return the request of a buyer who will pay online for what the seats are held for."""
    person = {"user_id": str(buyer), "person_hash": buyer.hex * 2}
    return request(number, show_id, status="PENDING", **{"quantity": 10, **person, **changes})


@pytest.mark.parametrize("function", [IN_TURN, "reserve_v4"])
def test_of_several_wishes_of_one_person_the_first_are_held_until_it_is_enough(
    use: Wiring, show_with: ShowFactory, function: str
) -> None:
    shows, buyer = [show_with(price_paise=10_000) for _ in range(6)], uuid4()
    wishes = [
        *(holding(n, show_id, buyer, quantity=8) for n, show_id in enumerate(shows[:5])),
        holding(5, shows[5], buyer, quantity=6),
        holding(6, shows[4], uuid4()),
        request(7, shows[4], user_id=str(buyer), person_hash=buyer.hex * 2),
    ]

    assert outcomes(use, *wishes, function=function) == [
        *("RESERVED", "RESERVED", "RESERVED", "TOO_MANY_HELD", "TOO_MANY_HELD"),
        *("RESERVED", "RESERVED", "RESERVED"),  # 30 are allowed; somebody else; not held
    ]
    assert seats(use, shows[3]) == (100, 0, 0)
    assert seats(use, shows[4]) == (89, 10, 1)


@pytest.mark.parametrize("function", [IN_TURN, "reserve_v4"])
def test_who_is_at_both_limits_is_told_of_the_one_that_passes_by_itself(
    use: Wiring, show_with: ShowFactory, function: str
) -> None:
    (full, *others), buyer = [show_with(price_paise=10_000) for _ in range(5)], uuid4()
    outcomes(use, {**holding(0, full, buyer), "status": "CONFIRMED_UNPAID"})
    wishes = [holding(1, others[0], buyer, hold_limit=10), holding(2, full, buyer, hold_limit=10)]
    crowd = [holding(3 + n, show_id, uuid4()) for n, show_id in enumerate(others[1:])]

    assert outcomes(use, *wishes, *crowd, function=function) == [
        *("RESERVED", "TOO_MANY_HELD", "RESERVED", "RESERVED", "RESERVED"),
    ]
    assert outcomes(use, {**wishes[1], "hold_limit": 30}, function=function) == ["LIMIT_REACHED"]


@pytest.mark.parametrize("others", [0, MANY], ids=["in turn", "together"])
def test_who_holds_too_much_is_told_so_and_the_others_of_the_batch_are_served(
    use: Wiring, show_with: ShowFactory, others: int
) -> None:
    one, other, buyer = show_with(price_paise=10_000), show_with(price_paise=10_000), uuid4()
    assert outcomes(use, holding(1, one, buyer, hold_limit=10)) == ["RESERVED"]
    crowd = [holding(10 + n, other, uuid4(), quantity=1) for n in range(others)]

    found = answers(use, holding(1, other, buyer, hold_limit=10), *crowd)

    assert found[1] == ("TOO_MANY_HELD", None)
    assert {found[each["n"]][0] for each in crowd} <= {"RESERVED"}
    assert seats(use, other) == (100 - others, others, 0)


@pytest.mark.parametrize("many", [1, 5], ids=["in turn", "together"])
def test_nobody_holds_more_in_two_transactions_at_once_that_share_no_show(
    use: Wiring, show_with: ShowFactory, many: int
) -> None:
    buyer, limit = uuid4(), {"quantity": 2, "hold_limit": 2 * many}
    first, second = (
        [holding(n, show_with(price_paise=10_000), buyer, **limit) for n in range(many)]
        for _ in range(2)
    )

    assert overlapping(use, first, second) == (["RESERVED"] * many, ["TOO_MANY_HELD"] * many)


def test_nobody_holds_more_beside_a_transaction_that_is_not_waited_for(
    use: Wiring, show_with: ShowFactory
) -> None:
    one, other, buyer = show_with(price_paise=10_000), show_with(price_paise=10_000), uuid4()
    second = holding(2, other, buyer, hold_limit=10)

    with use.engine.begin() as connection:
        _ask(connection, [holding(1, one, buyer)])
        meanwhile = outcomes(use, second, function="reserve_unhindered_v2")
    assert meanwhile == ["HELD"]
    assert outcomes(use, second, function="reserve_unhindered_v2") == ["TOO_MANY_HELD"]


def test_sales_that_hold_nothing_wait_for_no_other_of_the_same_person(
    use: Wiring, show_with: ShowFactory
) -> None:
    buyer, shows = uuid4(), [show_with(price_paise=10_000) for _ in range(3)]
    person = {"user_id": str(buyer), "person_hash": buyer.hex * 2}

    with use.engine.begin() as connection:
        _ask(connection, [request(1, shows[0], **person)])
        for function in ("reserve_v4", "reserve_unhindered_v2"):
            assert outcomes(use, request(1, shows[1], **person), function=function) == ["RESERVED"]
        wishes = [request(1, shows[2]), holding(2, shows[2], buyer)]
        found = outcomes(use, *wishes, function="reserve_unhindered_v2")
    assert found == ["RESERVED", "HELD"]


SCANS = "SELECT pg_stat_get_xact_numscans('booking.ix_booking_held_by'::regclass)"


def test_what_somebody_holds_is_read_in_its_own_index(use: Wiring, show_with: ShowFactory) -> None:
    show_id, buyer = show_with(price_paise=10_000), uuid4()

    def read(*wishes: dict[str, Any]) -> int:
        with use.engine.begin() as connection:
            before = connection.exec_driver_sql(SCANS).scalar_one()
            _ask(connection, wishes)
            return int(connection.exec_driver_sql(SCANS).scalar_one() - before)

    assert read(holding(1, show_id, buyer)) == 1
    assert read(*(holding(n, show_id, uuid4(), quantity=1) for n in range(MANY))) == MANY
    assert read(request(1, show_id, user_id=str(buyer))) == 0  # what is not held is not counted


def test_who_needs_nothing_that_is_held_is_served(use: Wiring, show_with: ShowFactory) -> None:
    free, other, *held_shows = (show_with(price_paise=10_000) for _ in range(4))
    buyer, leaving = str(uuid4()), use.person_hashes.of(uuid4()).hex()
    wishes = [
        request(1, free, user_id=buyer, key="held", fingerprint="f"),
        request(2, free, user_id=buyer, key="free", fingerprint="f"),
        request(3, free, user_id=buyer),
        *(request(4 + n, show_id) for n, show_id in enumerate(held_shows)),
        request(6, other, person_hash=leaving),
        request(7, other, key="held", fingerprint="f"),  # of somebody else
        request(8, uuid4()),
    ]
    with use.engine.connect() as holder:
        for name in (f"{buyer}:test:held", f"person:{leaving}"):
            holder.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))
        holder.exec_driver_sql(
            "SELECT FROM booking.ticket_inventory WHERE show_id = ANY (%s) FOR UPDATE",
            (held_shows,),
        )
        found = outcomes(use, *wishes, function="reserve_unhindered_v2")
        holder.rollback()

    assert found == [
        *("IN_FLIGHT", "RESERVED", "RESERVED", "HELD", "HELD", "HELD", "RESERVED", "UNKNOWN_SHOW")
    ]
    assert seats(use, free) == (98, 0, 2)
    assert outcomes(use, wishes[0], function="reserve_unhindered_v2") == ["RESERVED"]


def close(use: Wiring, buyer: UUID, *, state: str = "FENCED") -> None:
    """Write down the deletion of an account, as its saga does."""
    with use.engine.begin() as connection:
        connection.exec_driver_sql(CLOSE, closing(use, buyer, state))


CLOSE = """
WITH alone AS (SELECT pg_advisory_xact_lock(hashtextextended('person:' || %(hash)s, 0)))
INSERT INTO booking.account_deletion (saga_id, person_hash, state, ended_at)
SELECT %(saga)s, decode(%(hash)s, 'hex'), %(state)s::booking.deletion_state,
       CASE WHEN %(state)s = 'FENCED' THEN NULL ELSE now() END
FROM alone
"""


def closing(use: Wiring, buyer: UUID, state: str = "FENCED") -> dict[str, Any]:
    return {"hash": use.person_hashes.of(buyer).hex(), "saga": uuid4(), "state": state}

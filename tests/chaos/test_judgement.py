"""What is taken for wrong after a deletion or a sale, and what is planned to go wrong."""

import json

import pytest
import requests

from chaos.buyer import Attempt, Outcome, Stored, objections
from chaos.cases import Case
from chaos.evidence import differences, losses
from chaos.faults import CommitPoint, Side
from chaos.plan import troubles, troubles_of_sales
from chaos.sales import Booked, not_the_same

GONE, HOUSE = "show-of-somebody", "show-of-the-house"


def attempt(key: str, outcome: Outcome, booking: str = "", *, show: str = HOUSE) -> Attempt:
    return Attempt(key, show, outcome, booking)


LOG = [
    attempt("k1", Outcome.ACKNOWLEDGED, "b1"),
    attempt("k2", Outcome.REFUSED),
    attempt("k3", Outcome.UNKNOWN),
]
FIRST = Stored("b1", "k1", HOUSE, "CONFIRMED")


@pytest.mark.parametrize("more", [[], [Stored("b3", "k3", HOUSE, "CONFIRMED")]])
def test_what_was_bought_and_what_was_not_answered_may_be_stored(more: list[Stored]) -> None:
    assert objections(LOG, [FIRST, *more], GONE) == []


@pytest.mark.parametrize(
    ("stored", "objection"),
    [
        ([], "acknowledged and lost: booking b1"),
        ([FIRST, Stored("b2", "k2", HOUSE, "CONFIRMED")], "nobody bought it: booking b2"),
        ([FIRST, Stored("b3", None, HOUSE, "CONFIRMED")], "nobody bought it: booking b3"),
        ([Stored("b1", "k1", HOUSE, "CANCELLED")], "the buyer lost booking b1: CANCELLED"),
        ([Stored("b1", "k1", GONE, "CONFIRMED")], "sold of a show that is gone: booking b1"),
    ],
)
def test_anything_else_is_an_objection(stored: list[Stored], objection: str) -> None:
    [found] = objections(LOG, stored, GONE)

    assert objection in found


def test_rows_that_changed_appeared_or_went_are_differences() -> None:
    before = {"a.same": frozenset({"1"}), "a.changed": frozenset({"1"}), "a.gone": frozenset({"1"})}
    after = {"a.same": frozenset({"1"}), "a.changed": frozenset({"2"}), "b.new": frozenset({"1"})}

    assert [each.split()[0] for each in differences(before, after)] == [
        *("a.changed", "a.gone", "b.new")
    ]
    assert [each.split()[0] for each in differences(before, after, spared="a.")] == ["b.new"]


def test_numbers_and_sums_may_grow_but_not_fall() -> None:
    before = {"bookings": (5, 500), "refunds": (1, 100)}

    assert losses(before, {"bookings": (6, 500), "refunds": (1, 200)}) == []
    assert len(losses(before, {"bookings": (4, 900), "refunds": (1, 99)})) == 2


def booked(status: str, *, price: int = 100, handled: int = 0, told: int = 0) -> Booked:
    owed = [price] if status == "CANCELLED" and price else []
    return Booked("b", HOUSE, status, 1, price, 0, owed, 0, handled, told)


@pytest.mark.parametrize(
    ("last", "before"),
    [
        (booked("CONFIRMED", handled=3, told=1), booked("CONFIRMED", handled=2, told=1)),
        (booked("CONFIRMED", price=0, told=1), booked("CONFIRMED", price=0)),
        (booked("CANCELLED", handled=5, told=3), booked("CANCELLED", handled=5, told=2)),
        (booked("CANCELLED", price=0, told=2), booked("CANCELLED", price=0, told=1)),
        (
            booked("CANCELLED", handled=5, told=3),
            booked("CANCELLED", handled=5, told=3)._replace(unfinished=1),
        ),
        (booked("CANCELLED", handled=5, told=3), booked("CANCELLED", handled=4, told=4)),
    ],
)
def test_a_booking_is_settled_with_its_last_webhook_refund_and_mail(
    last: Booked, before: Booked
) -> None:
    assert (last.settled, before.settled) == (True, False)


def answer(status: int, **body: str) -> requests.Response:
    given = requests.Response()
    given.status_code, given._content = status, json.dumps(body).encode()
    return given


def test_a_key_is_answered_the_same_again() -> None:
    first = answer(201, id="b1")

    assert not_the_same(first, answer(201, id="b1")) == []
    assert len(not_the_same(first, answer(201, id="b2"))) == 1
    assert len(not_the_same(first, answer(409, id="b1"))) == 1
    assert len(not_the_same(None, first)) == 1


COMMITS = [CommitPoint("identity-worker", "INSERT a.b", number) for number in range(1, 12)] + [
    CommitPoint("booking", "UPDATE c.d", 1)
]


def test_every_process_dies_on_both_sides_of_each_of_its_commits() -> None:
    planned = troubles(COMMITS, COMMITS[:3], seed=1)

    for case, commits in ((Case.GOES, COMMITS), (Case.STAYS, COMMITS[:3])):
        kills = {each.name for each in planned if each.name.startswith(f"{case.value}: kill")}
        assert kills == {
            f"{case.value}: kill {side.value} {point}" for point in commits for side in Side
        }


def test_a_seed_repeats_a_plan_and_every_name_is_one_of_it() -> None:
    names = [each.name for each in troubles(COMMITS, COMMITS, seed=4)]

    assert names == [each.name for each in troubles(COMMITS, COMMITS, seed=4)]
    assert names != [each.name for each in troubles(COMMITS, COMMITS, seed=5)]
    assert len(names) == len(set(names))


def test_of_sales_every_process_dies_on_both_sides_of_the_first_two_commits_of_each_kind() -> None:
    planned = troubles_of_sales({Case.BUYS: COMMITS, Case.RETURNS: COMMITS[:1]}, seed=1)

    kills = {each.name for each in planned if ": kill" in each.name}
    assert kills == {
        f"{case}: kill {side.value} {point}"
        for case, points in (("buys", [*COMMITS[:2], COMMITS[-1]]), ("returns", COMMITS[:1]))
        for point in points
        for side in Side
    }
    assert {each.case.value for each in planned} == {"buys", "returns"}

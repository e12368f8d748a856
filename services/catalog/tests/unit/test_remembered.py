import time
from collections.abc import Mapping
from uuid import UUID

from catalog_service.clients.remembered import LEFT_ALONE_SECONDS, Remembered
from service_kit.peers import PeerUnavailable

ONE, TWO = UUID(int=1), UUID(int=2)


class Oracle:
    """Answers from a table, or not at all, and notes what it was asked."""

    def __init__(self, table: Mapping[UUID, str]) -> None:
        self.table = table
        self.down = False
        self.asked: list[list[UUID]] = []

    def __call__(self, ids: list[UUID]) -> Mapping[UUID, str]:
        self.asked.append(ids)
        if self.down:
            raise PeerUnavailable("down")
        return {each: self.table[each] for each in ids if each in self.table}


def test_only_what_is_not_remembered_is_asked_and_in_one_call() -> None:
    oracle = Oracle({ONE: "one", TWO: "two"})
    remembered = Remembered(oracle, seconds=60)

    assert remembered.about([ONE]) == {ONE: "one"}
    assert remembered.about([ONE, TWO, TWO]) == {ONE: "one", TWO: "two"}
    assert oracle.asked == [[ONE], [TWO]]


def test_what_the_peer_does_not_know_is_asked_again() -> None:
    oracle = Oracle({})
    remembered = Remembered(oracle, seconds=60)

    assert remembered.about([ONE]) == {ONE: None}
    oracle.table = {ONE: "one"}
    assert remembered.about([ONE]) == {ONE: "one"}


def test_an_answer_counts_for_its_time_only() -> None:
    oracle = Oracle({ONE: "one"})
    remembered = Remembered(oracle, seconds=0)

    remembered.about([ONE])
    remembered.about([ONE])

    assert oracle.asked == [[ONE], [ONE]]


def test_a_peer_that_is_down_is_left_alone_for_a_moment() -> None:
    oracle = Oracle({ONE: "one"})
    oracle.down = True
    remembered = Remembered(oracle, seconds=60)

    assert remembered.about([ONE]) == {}
    assert remembered.about([ONE]) == {}
    assert oracle.asked == [[ONE]]


def test_a_peer_that_was_down_is_asked_again_soon_however_long_its_answers_count() -> None:
    oracle = Oracle({})
    oracle.down = True
    remembered = Remembered(oracle, seconds=3600)
    remembered.about([ONE])

    assert remembered._down_until <= time.monotonic() + LEFT_ALONE_SECONDS


def test_an_old_answer_serves_while_the_peer_is_down() -> None:
    oracle = Oracle({ONE: "one"})
    remembered = Remembered(oracle, seconds=0, stale_seconds=60)
    remembered.about([ONE])
    oracle.down = True

    assert remembered.about([ONE]) == {ONE: "one"}


def test_nothing_is_asked_about_nothing() -> None:
    oracle = Oracle({})

    assert Remembered(oracle, seconds=1).about([]) == {}
    assert oracle.asked == []

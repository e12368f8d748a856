import threading
import time
from collections.abc import Mapping
from uuid import UUID

import pytest

from catalog_service.clients.remembered import Remembered
from devstack.testing import eventually
from service_kit.peers import PeerUnavailable

ONE, TWO = UUID(int=1), UUID(int=2)


class Oracle:
    """Answers from a table, or not at all, and notes what it was asked."""

    def __init__(self, table: Mapping[UUID, str]) -> None:
        self.table = table
        self.down = False
        self.broken = False
        self.seconds = 0.0
        self.frozen = threading.Event()
        self.frozen.set()
        self.asked: list[list[UUID]] = []

    def __call__(self, ids: list[UUID]) -> Mapping[UUID, str]:
        self.asked.append(ids)
        self.frozen.wait()
        time.sleep(self.seconds)
        if self.broken:
            raise ZeroDivisionError
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


def test_a_peer_that_was_down_is_asked_again_beside_the_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("catalog_service.clients.remembered.LEFT_ALONE_SECONDS", 0)
    oracle = Oracle({ONE: "one"})
    oracle.down = True
    remembered = Remembered(oracle, seconds=3600)
    remembered.about([ONE])
    oracle.frozen.clear()
    oracle.down = False

    assert remembered.about([ONE]) == {}
    assert remembered.about([ONE]) == {}  # nobody waits, and it is asked once at a time
    oracle.frozen.set()

    eventually(lambda: remembered.about([ONE]) == {ONE: "one"})
    assert oracle.asked == [[ONE], [ONE]]


def test_whatever_goes_wrong_the_peer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog_service.clients.remembered.LEFT_ALONE_SECONDS", 0)
    oracle = Oracle({ONE: "one"})
    remembered = Remembered(oracle, seconds=3600)
    oracle.broken = True
    with pytest.raises(ZeroDivisionError):
        remembered.about([ONE])
    oracle.broken = False

    eventually(lambda: remembered.about([ONE]) == {ONE: "one"})


def test_an_answer_is_as_old_as_its_question() -> None:
    oracle = Oracle({ONE: "one"})
    oracle.seconds = 0.05
    remembered = Remembered(oracle, seconds=0.04)

    remembered.about([ONE])
    remembered.about([ONE])

    assert oracle.asked == [[ONE], [ONE]]


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

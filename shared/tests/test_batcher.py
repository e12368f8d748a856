import gc
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pytest

from devstack.testing import eventually
from service_kit.batcher import NOT_SERVED, Batcher, TooManyWaiting, _Place

LONG = 60.0


class Counter:
    """Doubles numbers; while it is held up, requests gather."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.bad: set[int] = set()
        self.ends: set[int] = set()
        self.open = threading.Event()
        self.open.set()

    def serve(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(numbers))
        assert self.open.wait(LONG)
        if self.ends & set(numbers):
            raise SystemExit
        if self.bad & set(numbers):
            raise LookupError(sorted(self.bad & set(numbers)))
        return [ValueError(number) if number < 0 else 2 * number for number in numbers]


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=32) as pool:
        yield pool


def batcher_of(
    counter: Counter, *, slots: int = 1, most: int = 50, patience: float = LONG
) -> Batcher[int, int]:
    return Batcher(counter.serve, slots=slots, most=most, patience=patience)


def gathered(
    batcher: Batcher[int, int], counter: Counter, callers: ThreadPoolExecutor, numbers: range
) -> list[Future[int]]:
    """Ask for all numbers in their order while the first is held up; then let all go on."""
    counter.open.clear()
    asked = []
    for number in numbers:
        asked.append(callers.submit(batcher.ask, number))
        in_order = 1, len(asked) - 1
        eventually(partial(_stand, batcher, counter, in_order))
    counter.open.set()
    return asked


def _stand(batcher: Batcher[int, int], counter: Counter, expected: tuple[int, int]) -> bool:
    return (len(counter.batches), batcher.waiting) == expected


def test_a_lone_request_is_served_at_once(counter: Counter) -> None:
    assert batcher_of(counter).ask(21) == 42
    assert counter.batches == [[21]]


def test_who_comes_meanwhile_is_served_together_in_the_order_of_coming(
    counter: Counter, callers: ThreadPoolExecutor
) -> None:
    asked = gathered(batcher_of(counter), counter, callers, range(20))

    assert [each.result(LONG) for each in asked] == [2 * number for number in range(20)]
    assert counter.batches == [[0], list(range(1, 20))]


def test_a_batch_is_bounded_and_the_next_one_goes_on_where_it_ended(
    counter: Counter, callers: ThreadPoolExecutor
) -> None:
    asked = gathered(batcher_of(counter, most=4), counter, callers, range(10))

    assert [each.result(LONG) for each in asked] == [2 * number for number in range(10)]
    assert counter.batches == [[0], [1, 2, 3, 4], [5, 6, 7, 8], [9]]


def test_each_caller_gets_the_own_exception(counter: Counter, callers: ThreadPoolExecutor) -> None:
    asked = gathered(batcher_of(counter), counter, callers, range(-3, 3))

    outcomes = [each.exception(LONG) or each.result() for each in asked]
    assert [str(each) for each in outcomes] == ["-3", "-2", "-1", "0", "2", "4"]


def test_one_bad_request_does_not_fail_its_neighbours(
    counter: Counter, callers: ThreadPoolExecutor
) -> None:
    counter.bad = {3}
    asked = gathered(batcher_of(counter), counter, callers, range(5))

    assert isinstance(asked[3].exception(LONG), LookupError)
    assert [asked[n].result(LONG) for n in (0, 1, 2, 4)] == [0, 2, 4, 8]
    assert counter.batches == [[0], [1, 2, 3, 4], [1], [2], [3], [4]]


def test_if_the_thread_that_serves_ends_the_others_are_told_and_later_ones_are_served(
    counter: Counter, callers: ThreadPoolExecutor
) -> None:
    counter.ends = {1}
    batcher = batcher_of(counter)
    asked = gathered(batcher, counter, callers, range(4))

    assert asked[0].result(LONG) == 0
    assert isinstance(asked[1].exception(LONG), SystemExit)
    assert [asked[n].exception(LONG) for n in (2, 3)] == [NOT_SERVED, NOT_SERVED]
    assert batcher.ask(5) == 10


def test_a_lone_request_that_fails_is_not_repeated(counter: Counter) -> None:
    counter.bad = {2}

    with pytest.raises(LookupError):
        batcher_of(counter).ask(2)

    assert counter.batches == [[2]]


def test_a_refusal_leaves_no_garbage_to_collect(counter: Counter) -> None:
    batcher = batcher_of(counter)
    gc.collect()
    gc.disable()
    try:
        with suppress(ValueError):
            batcher.ask(-1)
        left = [each for each in gc.get_objects() if isinstance(each, _Place)]
    finally:
        gc.enable()

    assert left == []


def test_no_more_batches_are_served_at_once_than_there_are_slots(
    counter: Counter, callers: ThreadPoolExecutor
) -> None:
    batcher = batcher_of(counter, slots=2)
    counter.open.clear()
    asked = [callers.submit(batcher.ask, 0)]
    eventually(lambda: counter.batches == [[0]])
    asked.append(callers.submit(batcher.ask, 1))
    eventually(lambda: counter.batches == [[0], [1]])
    asked += [callers.submit(batcher.ask, number) for number in range(2, 8)]
    eventually(lambda: batcher.waiting == 6)

    assert len(counter.batches) == 2

    counter.open.set()
    assert [each.result(LONG) for each in asked] == [2 * number for number in range(8)]


def test_who_waits_too_long_is_told_so_and_never_served(
    counter: Counter, callers: ThreadPoolExecutor
) -> None:
    batcher = batcher_of(counter, patience=0.05)
    counter.open.clear()
    first = callers.submit(batcher.ask, 1)
    eventually(lambda: counter.batches == [[1]])

    with pytest.raises(TooManyWaiting):
        batcher.ask(2)

    counter.open.set()
    assert first.result(LONG) == 2
    assert batcher.ask(3) == 6
    assert counter.batches == [[1], [3]]


def test_under_a_storm_everybody_gets_the_own_answer(
    counter: Counter, callers: ThreadPoolExecutor
) -> None:
    batcher = batcher_of(counter, slots=2, most=7)

    assert list(callers.map(batcher.ask, range(2_000))) == [2 * n for n in range(2_000)]
    assert sorted(n for batch in counter.batches for n in batch) == list(range(2_000))
    assert max(map(len, counter.batches)) <= 7

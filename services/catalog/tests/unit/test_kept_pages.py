import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalog_service.api.kept_pages import KeptPages, Page, PageNotReady

FOR_EVER = 3600.0


class Builder:
    """Builds `page 1`, `page 2`, …; goes on only while it is let."""

    def __init__(self) -> None:
        self.built = 0
        self.broken = False
        self.began = threading.Semaphore(0)
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __call__(self) -> bytes:
        self.built += 1
        number = self.built
        self.began.release()
        self.may_go_on.wait()
        if self.broken:
            raise ConnectionError(f"no page {number}")
        return f"page {number}".encode()


@pytest.fixture
def build() -> Builder:
    return Builder()


def wait_for(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.001)


def test_a_page_is_built_once_for_all_who_ask_at_once(build: Builder) -> None:
    pages = KeptPages(seconds=FOR_EVER, wait_seconds=FOR_EVER)
    build.may_go_on.clear()

    with ThreadPoolExecutor(20) as callers:
        asked = [callers.submit(pages.get, "key", build) for _ in range(20)]
        build.began.acquire()
        build.may_go_on.set()
        found = {each.result() for each in asked}

    assert found == {Page.of(b"page 1")}
    assert pages.get("key", build).body == b"page 1"


def test_keys_have_pages_of_their_own(build: Builder) -> None:
    pages = KeptPages(seconds=FOR_EVER)

    assert [pages.get(key, build).body for key in ("a", "b", "a")] == [
        b"page 1",
        b"page 2",
        b"page 1",
    ]


def test_equal_pages_have_equal_tags_and_others_others() -> None:
    assert Page.of(b"x").tag == Page.of(b"x").tag != Page.of(b"y").tag


def test_a_page_that_is_too_old_is_built_again(build: Builder) -> None:
    pages = KeptPages(seconds=0.01, grace_seconds=0)
    pages.get("key", build)
    assert pages.fresh("key") is not None

    wait_for(lambda: pages.fresh("key") is None)

    assert pages.get("key", build).body == b"page 2"


def test_the_previous_page_serves_while_the_next_one_is_built(build: Builder) -> None:
    pages = KeptPages(seconds=0.01, grace_seconds=FOR_EVER)
    pages.get("key", build)
    wait_for(lambda: pages.fresh("key") is None)
    build.may_go_on.clear()

    with ThreadPoolExecutor(1) as callers:
        building = callers.submit(pages.get, "key", build)
        wait_for(lambda: build.built == 2)
        meanwhile = pages.get("key", build)
        build.may_go_on.set()

    assert (meanwhile.body, building.result().body) == (b"page 1", b"page 2")


def test_a_page_is_as_old_as_the_beginning_of_its_building() -> None:
    pages = KeptPages(seconds=0.02)

    def slowly() -> bytes:
        time.sleep(0.03)
        return b"page"

    pages.get("key", slowly)

    assert pages.fresh("key") is None


def test_nobody_waits_for_ever(build: Builder) -> None:
    pages = KeptPages(seconds=0.01, grace_seconds=0, wait_seconds=0.02)
    pages.get("key", build)
    wait_for(lambda: pages.fresh("key") is None)
    build.may_go_on.clear()

    with ThreadPoolExecutor(1) as callers:
        callers.submit(pages.get, "key", build)
        wait_for(lambda: build.built == 2)
        with pytest.raises(PageNotReady):
            pages.get("key", build)
        build.may_go_on.set()


def test_few_pages_are_built_at_once(build: Builder) -> None:
    pages = KeptPages(seconds=FOR_EVER, wait_seconds=FOR_EVER, builders=2)
    build.may_go_on.clear()

    with ThreadPoolExecutor(5) as callers:
        asked = [callers.submit(pages.get, key, build) for key in range(5)]
        wait_for(lambda: build.built == 2)
        time.sleep(0.02)
        built_at_once = build.built
        build.may_go_on.set()
        found = {each.result().body for each in asked}

    assert built_at_once == 2
    assert len(found) == 5


def test_nobody_waits_for_ever_until_others_are_built(build: Builder) -> None:
    pages = KeptPages(seconds=FOR_EVER, wait_seconds=0.02, builders=1)
    build.may_go_on.clear()

    with ThreadPoolExecutor(1) as callers:
        first = callers.submit(pages.get, "a", build)
        build.began.acquire()
        with pytest.raises(PageNotReady):
            pages.get("b", build)
        build.may_go_on.set()

    assert first.result().body == b"page 1"
    assert pages.get("b", build).body == b"page 2"


def test_a_failure_is_its_builders_own_and_the_next_one_tries_again(build: Builder) -> None:
    pages = KeptPages(seconds=FOR_EVER, wait_seconds=FOR_EVER)
    build.broken = True
    build.may_go_on.clear()

    with ThreadPoolExecutor(2) as callers:
        first = callers.submit(pages.get, "key", build)
        build.began.acquire()
        second = callers.submit(pages.get, "key", build)
        build.may_go_on.set()
        failures = {str(each.exception()) for each in (first, second)}

    assert failures == {"no page 1", "no page 2"}
    build.broken = False
    assert pages.get("key", build).body == b"page 3"


def test_pages_are_few_and_those_unused_for_longest_go_first(build: Builder) -> None:
    pages = KeptPages(seconds=FOR_EVER, max_entries=2)
    for key in ("a", "b", "a", "c"):
        pages.get(key, build)

    assert [pages.fresh(key) is not None for key in ("a", "b", "c")] == [True, False, True]


def test_pages_are_small_together_and_a_huge_one_is_not_kept() -> None:
    pages = KeptPages(seconds=FOR_EVER, max_bytes=80)
    for number in range(20):
        pages.get(number, lambda: b"x" * 10)
        pages.get("huge", lambda: b"x" * 11)

    assert sum(pages.fresh(number) is not None for number in range(20)) == 8
    assert pages.fresh("huge") is None


def test_without_a_time_nothing_is_kept(build: Builder) -> None:
    pages = KeptPages(seconds=0, grace_seconds=0)

    assert [pages.get("key", build).body for _ in range(2)] == [b"page 1", b"page 2"]


def test_many_threads_and_many_keys_agree() -> None:
    pages = KeptPages(seconds=0.001, grace_seconds=0.001, wait_seconds=FOR_EVER, max_entries=3)

    def ask(number: int) -> bool:
        key = number % 5
        return pages.get(key, lambda: bytes([key])).body == bytes([key])

    with ThreadPoolExecutor(8) as callers:
        assert all(callers.map(ask, range(2000)))

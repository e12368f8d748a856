import itertools
import re
from collections import Counter

import pytest

from bench.orders import TICKETS_PER_PERSON, Exhausted, Orders, Page

BUYERS = 3


def orders(shows_at_once: int) -> Orders:
    numbers = itertools.count()
    return Orders(
        "booking",
        lambda: [f"Authorization: {buyer}\r\n".encode() for buyer in range(BUYERS)],
        lambda count: [f"show-{next(numbers)}" for _ in range(count)],
        buyers=BUYERS,
        shows_at_once=shows_at_once,
    )


def parts_of(request: bytes) -> tuple[str, str, str]:
    found = re.search(r"Key: (\S+)\r\nAuthorization: (\d)\r\n\r\n.*(show-\d+)", request.decode())
    assert found is not None
    return found[1], found[2], found[3]


@pytest.mark.parametrize("shows_at_once", [1, 4])
def test_everybody_gets_as_many_tickets_as_one_person_may_have(shows_at_once: int) -> None:
    made = orders(shows_at_once)
    count = 2 * shows_at_once * BUYERS * TICKETS_PER_PERSON
    made.prepare(count)

    found = [parts_of(next(made)) for _ in range(count)]

    assert len({key for key, _, _ in found}) == count
    of_each = Counter((buyer, show) for _, buyer, show in found)
    assert set(of_each.values()) == {TICKETS_PER_PERSON}
    assert len(of_each) == 2 * shows_at_once * BUYERS


def test_a_hot_show_is_sold_out_before_the_next_is_sold() -> None:
    made = orders(1)
    made.prepare(50)

    shows = [parts_of(next(made))[2] for _ in range(BUYERS * TICKETS_PER_PERSON + 1)]

    assert shows == ["show-0"] * BUYERS * TICKETS_PER_PERSON + ["show-1"]


def test_consecutive_bookings_are_of_different_shows() -> None:
    made = orders(4)
    made.prepare(8)

    assert [parts_of(next(made))[2][-1] for _ in range(8)] == list("01230123")


def test_more_bookings_than_prepared_for_are_not_made() -> None:
    made = orders(1)
    made.prepare(1)
    for _ in range(BUYERS * TICKETS_PER_PERSON):
        next(made)

    with pytest.raises(Exhausted):
        next(made)


def test_a_page_is_asked_for_with_the_credentials_of_its_moment() -> None:
    tokens = iter([b"Authorization: Bearer 1\r\n", b"Authorization: Bearer 2\r\n"])
    page = Page("booking", "/api/v1/organizer/sales", lambda: [next(tokens)])

    page.prepare(10)
    first = next(page)
    page.prepare(10)

    assert first.startswith(b"GET /api/v1/organizer/sales HTTP/1.1\r\n")
    assert first.endswith(b"\r\nAuthorization: Bearer 1\r\n\r\n")
    assert next(page).endswith(b"\r\nAuthorization: Bearer 2\r\n\r\n")

"""Tickets are bought, given back and called off while processes die: a part of `make chaos`."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import count, repeat

import pytest

from chaos.cases import Case
from chaos.faults import CommitPoint, Deed, Fault, Side
from chaos.people import House
from chaos.trial import RESUME_SECONDS, Trouble, Undertaking, attempt
from chaos.undertakings import made_ready

pytestmark = pytest.mark.system

SALE = "reserve_v4()"
INBOX = "INSERT booking.payment_news, INSERT booking_workflows.workflow_status"
CONFIRMATION = "release_expired_v1(), UPDATE booking.ticket_inventory"
GIVING_UP = "UPDATE booking.buyer_show, UPDATE booking.ticket_inventory"
REFUND = "UPDATE booking.refund, INSERT booking.notice"
DECISION = "UPDATE catalog.show_change, UPDATE catalog.show"
MASS_REFUND = "release_expired_v1(), UPDATE booking.buyer_show"


KILLS = (
    (Case.BUYS, "booking", SALE, Side.AFTER, Deed.KILL),
    (Case.BUYS, "booking", INBOX, Side.BEFORE, Deed.KILL),
    (Case.BUYS, "booking-worker", CONFIRMATION, Side.AFTER, Deed.KILL),
    (Case.RETURNS, "booking", GIVING_UP, Side.AFTER, Deed.CUT),
    (Case.RETURNS, "booking-worker", REFUND, Side.BEFORE, Deed.KILL),
    (Case.CALLS_OFF, "catalog-worker", DECISION, Side.BEFORE, Deed.KILL),
    (Case.CALLS_OFF, "booking-worker", MASS_REFUND, Side.AFTER, Deed.KILL),
)


@pytest.fixture(scope="module")
def undertakings(house: House) -> Iterator[Sequence[Undertaking]]:
    """What is attempted each time, made ready side by side: that is mostly waiting."""
    names = map("Fan{}".format, count(1))
    with ThreadPoolExecutor(4) as doors, ExitStack() as homes:
        ready = doors.map(made_ready, repeat(house), [case for case, *_ in KILLS], names)
        yield [homes.enter_context(closing(undertaking)) for undertaking in ready]


@pytest.mark.parametrize("number", range(len(KILLS)), ids=[" ".join(kill[1:3]) for kill in KILLS])
def test_who_dies_at_a_commit_sells_once_and_pays_back_once(
    house: House, undertakings: Sequence[Undertaking], number: int
) -> None:
    case, process, transaction, side, deed = KILLS[number]
    fault = Fault(CommitPoint(process, transaction, 1), side, deed)
    trouble = Trouble(str(fault), case, fault, seconds=RESUME_SECONDS)

    verdict = attempt(house, undertakings[number], trouble)

    assert (verdict.met, verdict.objections) == (True, ())

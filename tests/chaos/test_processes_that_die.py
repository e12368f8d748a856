"""What `make chaos` tries, in part: processes die while people buy, give back, call off, and leave.

One file, for one stage that ends with it: it costs half a minute to start, and something to keep.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import count, repeat
from pathlib import Path

import pytest

from chaos.cases import Case
from chaos.faults import CommitPoint, Deed, Fault, Side
from chaos.people import House
from chaos.stage import stage
from chaos.trial import RESUME_SECONDS, Trouble, Undertaking, Verdict, attempt
from chaos.undertakings import made_ready

pytestmark = pytest.mark.system

SALE = "reserve_v4()"
INBOX = "INSERT booking.payment_news, INSERT booking_workflows.workflow_status"
CONFIRMATION = "release_expired_v1(), UPDATE booking.ticket_inventory"
GIVING_UP = "UPDATE booking.buyer_show, UPDATE booking.ticket_inventory"
REFUND = "UPDATE booking.refund, INSERT booking.notice"
DECISION = "UPDATE catalog.show_change, UPDATE catalog.show"
MASS_REFUND = "release_expired_v1(), UPDATE booking.buyer_show"
LEAVERS = map("Leaver{}".format, count(1))
FORGETTING = "UPDATE identity.account_deletion, INSERT identity.audit_entry"

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
def house(tmp_path_factory: pytest.TempPathFactory, installed: Path) -> Iterator[House]:
    """The stage on which processes die, and whose shows are sold there."""
    folder = tmp_path_factory.mktemp("chaos")
    with stage(folder, lambda *_: None, copy_of=installed) as running:
        house = House(running)
        yield house
        house.close()


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


def deletion(house: House, trouble: Trouble) -> Verdict:
    """Have somebody new deleted."""
    with closing(made_ready(house, trouble.case, next(LEAVERS))) as undertaking:
        return attempt(house, undertaking, trouble)


@pytest.fixture(scope="module")
def undisturbed(house: House) -> Verdict:
    return deletion(house, Trouble("nothing"))


def test_a_deletion_that_nothing_disturbs_leaves_nothing(undisturbed: Verdict) -> None:
    assert (undisturbed.state, undisturbed.objections) == ("COMPLETED", ())


@pytest.mark.parametrize(
    ("process", "transaction", "side"),
    [
        ("identity", "INSERT identity.account_deletion", Side.AFTER),
        ("booking", "INSERT booking.account_deletion", Side.BEFORE),
        ("identity-worker", FORGETTING, Side.BEFORE),
        ("identity-worker", FORGETTING, Side.AFTER),
        ("booking", "forget_person", Side.AFTER),
        ("catalog", "DELETE catalog.fenced_person", Side.BEFORE),
        ("config", "config.account_deletion", Side.AFTER),
        ("identity-worker", "DELETE identity.user", Side.BEFORE),
    ],
)
def test_a_process_that_dies_at_a_commit_keeps_nobody_from_being_forgotten(
    house: House, undisturbed: Verdict, process: str, transaction: str, side: Side
) -> None:
    fault = Fault(commit_of(undisturbed, process, transaction), side)

    verdict = deletion(house, Trouble(str(fault), fault=fault))

    assert (verdict.met, verdict.state, verdict.objections) == (True, "COMPLETED", ())


def commit_of(verdict: Verdict, process: str, transaction: str) -> CommitPoint:
    """Return a process's first commit of a transaction that wrote this."""
    return next(
        commit
        for commit in verdict.commits
        if commit.process == process and transaction in commit.label
    )


def test_a_refusal_leaves_everything_as_it_was_though_the_worker_dies(house: House) -> None:
    fenced = CommitPoint("identity-worker", "UPDATE identity.user", 1)
    fault = Fault(fenced, Side.AFTER)

    verdict = deletion(house, Trouble(str(fault), Case.STAYS, fault))

    assert (verdict.met, verdict.state, verdict.objections) == (True, "REFUSED", ())

"""Accounts are deleted while processes die: a part of what `make chaos` tries, in each process."""

from contextlib import closing
from itertools import count

import pytest

from chaos.cases import Case
from chaos.faults import CommitPoint, Fault, Side
from chaos.people import House
from chaos.trial import Trouble, Verdict, attempt
from chaos.undertakings import made_ready

pytestmark = pytest.mark.system

NAMES = map("Leaver{}".format, count(1))
DECISION = "UPDATE identity.account_deletion, INSERT identity.audit_entry"


def deletion(house: House, trouble: Trouble) -> Verdict:
    """Have somebody new deleted."""
    with closing(made_ready(house, trouble.case, next(NAMES))) as undertaking:
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
        ("identity-worker", DECISION, Side.BEFORE),
        ("identity-worker", DECISION, Side.AFTER),
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

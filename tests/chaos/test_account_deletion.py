"""Accounts are deleted while processes die: a part of what `make chaos` tries, in each process."""

from collections.abc import Iterator, Sequence
from itertools import count

import pytest

from chaos.faults import CommitPoint, Fault, Side
from chaos.people import House, creator
from chaos.stage import stage
from chaos.trial import Case, Trouble, Verdict, attempt

pytestmark = pytest.mark.system

NAMES = map("Leaver{}".format, count(1))
PIVOT = "INSERT identity.audit_entry"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with stage(tmp_path_factory.mktemp("chaos"), lambda *_: None, throwaway=True) as running:
        house = House(running)
        yield house
        house.close()


def deletion(house: House, trouble: Trouble) -> Verdict:
    """Have somebody new deleted."""
    who = creator(house, next(NAMES), sold=trouble.case is Case.STAYS)
    try:
        return attempt(house, who, trouble)
    finally:
        who.visitor.close()


@pytest.fixture(scope="module")
def undisturbed(house: House) -> Verdict:
    return deletion(house, Trouble("nothing"))


def test_a_deletion_that_nothing_disturbs_leaves_nothing(undisturbed: Verdict) -> None:
    assert (undisturbed.state, undisturbed.objections) == ("COMPLETED", ())


def deletions_commits(commits: Sequence[CommitPoint], process: str) -> list[CommitPoint]:
    """Return the commits of a process that say that they belong to a deletion."""
    found = [
        each
        for each in commits
        if each.process == process and ("deletion" in each.label or PIVOT in each.label)
    ]
    assert found, f"{process} has no part in deletions"
    return found


@pytest.mark.parametrize(
    ("process", "which", "side"),
    [
        ("identity", 0, Side.AFTER),
        ("identity-worker", 0, Side.BEFORE),
        ("booking", 0, Side.AFTER),
        ("catalog", 0, Side.BEFORE),
        ("booking", -1, Side.BEFORE),
        ("catalog", -1, Side.AFTER),
        ("config", -1, Side.AFTER),
        ("identity-worker", -1, Side.BEFORE),
    ],
)
def test_a_process_that_dies_at_a_commit_keeps_nobody_from_being_forgotten(
    house: House, undisturbed: Verdict, process: str, which: int, side: Side
) -> None:
    point = deletions_commits(undisturbed.commits, process)[which]
    fault = Fault(point, side)

    verdict = deletion(house, Trouble(str(fault), fault=fault))

    assert (verdict.met, verdict.state, verdict.objections) == (True, "COMPLETED", ())


@pytest.mark.parametrize("side", Side)
def test_a_worker_that_dies_at_the_decision_has_decided_or_decides_again(
    house: House, undisturbed: Verdict, side: Side
) -> None:
    worker = deletions_commits(undisturbed.commits, "identity-worker")
    fault = Fault(next(point for point in worker if PIVOT in point.label), side)

    verdict = deletion(house, Trouble(str(fault), fault=fault))

    assert (verdict.met, verdict.state, verdict.objections) == (True, "COMPLETED", ())


def test_a_refusal_leaves_everything_as_it_was_though_the_worker_dies(house: House) -> None:
    fenced = CommitPoint("identity-worker", "UPDATE identity.user", 1)
    fault = Fault(fenced, Side.AFTER)

    verdict = deletion(house, Trouble(str(fault), Case.STAYS, fault))

    assert (verdict.met, verdict.state, verdict.objections) == (True, "REFUSED", ())

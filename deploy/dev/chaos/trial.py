"""One deletion, purchase or cancellation while one thing goes wrong."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from chaos.buyer import Buyer
from chaos.cases import ENDED, Case
from chaos.faults import CommitPoint, Fault
from chaos.peer_proxy import PeerFault
from chaos.people import House
from chaos.stage import Stage

END_SECONDS = 60.0  # after the last fault, of a deletion
RESUME_SECONDS = 30.0  # after it, of a sale, restart included
_AFTERMATH_SECONDS = 1.0  # the buyer goes on
_LOOK_EVERY_SECONDS = 0.05


class Undertaking(Protocol):
    """What somebody is about to do, watched from outside: what comes of it, and is it right?"""

    def meanwhile(self, buyer: Buyer) -> None:
        """Have a second buyer do what belongs to it.

        Called first of all, and again and again until it ends.
        """

    def remember(self) -> None:
        """Remember how everything is before it is asked for."""

    def ask(self) -> None:
        """Ask for it, again and again until somebody has heard it.

        Raises:
            NeverTrue: nobody did.
        """

    def state(self) -> str:
        """Return how far it is; empty if nobody has heard of it, or nobody can be asked."""

    def objections(self, buyer: Buyer) -> list[str]:
        """Return what is wrong now that it has ended, and the buyer has finished."""

    def close(self) -> None:
        """Send whoever took part home."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong."""

    name: str
    case: Case = Case.GOES
    fault: Fault | None = None  # at a commit
    callee: str = ""  # of the calls that go wrong
    call: PeerFault | None = None
    second_worker: bool = False
    database_dies: bool = False  # when the fault strikes
    seconds: float = END_SECONDS  # in which it has to end


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it ended, after how many seconds, and what is wrong about it."""

    trouble: Trouble
    state: str
    seconds: float
    objections: tuple[str, ...]
    met: bool  # whether it came to what was to go wrong
    commits: tuple[CommitPoint, ...]  # that took place meanwhile, in order


def attempt(house: House, undertaking: Undertaking, trouble: Trouble) -> Verdict:
    """Have somebody do what was prepared while this goes wrong, and judge what came of it."""
    stage = house.stage
    with ExitStack() as undo:
        if trouble.second_worker:
            undo.enter_context(stage.second_worker())
        undo.callback(stage.calm)  # before the second worker goes
        stage.wait_until_well()
        buyer = undo.enter_context(second_buyer(house))
        undertaking.meanwhile(buyer)
        undertaking.remember()
        _begin(stage, trouble)
        began = time.monotonic()
        state = _until_it_ends(stage, undertaking, buyer, trouble)
        took = time.monotonic() - began
        if state in ENDED:
            stage.wait_for_work()  # it may come to it only now
        commits, met = tuple(stage.commits.commits()), _met(stage, trouble)
        stage.calm()
        objections = _objections_to_the_end(trouble, state)
        if state in ENDED:
            stage.wait_until_well()
            time.sleep(_AFTERMATH_SECONDS)
            buyer.finish()
            objections += undertaking.objections(buyer)
        return Verdict(trouble, state, took, tuple(objections), met, commits)


@contextmanager
def second_buyer(house: House) -> Iterator[Buyer]:
    """Lend somebody who buys of the house all the time once it `begin`s."""
    email = f"buyer-{uuid4().hex[:12]}@chaos.example"
    buyer = Buyer(house.stage.stack.url, email, house.free[1:])
    try:
        yield buyer
    finally:
        buyer.finish()


def _begin(stage: Stage, trouble: Trouble) -> None:
    stage.commits.begin(trouble.fault)
    if trouble.call:
        stage.calls[trouble.callee].begin(trouble.call)


def _until_it_ends(stage: Stage, undertaking: Undertaking, buyer: Buyer, trouble: Trouble) -> str:
    """Return the state in which it ends, or is when the time is over."""
    began, dies = time.monotonic(), trouble.database_dies
    with ThreadPoolExecutor(1) as asking:
        asked = asking.submit(undertaking.ask)
        while (state := undertaking.state()) not in ENDED:
            undertaking.meanwhile(buyer)
            if dies and stage.commits.struck.is_set():
                stage.stack.kill("postgres")
                dies = False
            if time.monotonic() > max(began, stage.commits.struck_at) + trouble.seconds:
                break
            time.sleep(_LOOK_EVERY_SECONDS)
        asked.result()
    return state


def _met(stage: Stage, trouble: Trouble) -> bool:
    if trouble.fault:
        return stage.commits.struck.is_set()
    return not trouble.call or bool(stage.calls[trouble.callee].struck)


def _objections_to_the_end(trouble: Trouble, state: str) -> list[str]:
    found = []
    if state not in ENDED:
        found.append(f"{trouble.seconds:.0f} s after the last fault it is {state or 'unheard of'}")
    elif state not in trouble.case.ends:
        found.append(f"it ended as {state}")
    return found

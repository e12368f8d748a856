"""One deletion while one thing goes wrong."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from uuid import uuid4

from chaos.buyer import Buyer
from chaos.deletion import COMPLETED, ENDED, REFUSED, Deletion
from chaos.faults import CommitPoint, Fault
from chaos.peer_proxy import PeerFault
from chaos.people import Creator, House
from chaos.stage import Stage

END_SECONDS = 60.0  # after the last fault
_AFTERMATH_SECONDS = 1.0  # the buyer goes on
_LOOK_EVERY_SECONDS = 0.05


class Case(Enum):
    """Who asks to be forgotten, and how it may end."""

    GOES = "goes"  # nothing keeps her; somebody tries to buy of her from the fence on
    STAYS = "stays"  # others wait for her next show
    WAITS = "waits"  # nothing keeps her but a service that does not answer
    RACES = "races"  # nothing keeps her yet, but somebody buys of her all the time

    @property
    def ends(self) -> tuple[str, ...]:
        """The states in which it may end."""
        if self is Case.RACES:
            return ENDED
        return (COMPLETED,) if self is Case.GOES else (REFUSED,)


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


def attempt(house: House, creator: Creator, trouble: Trouble) -> Verdict:
    """Have a creator ask to be forgotten while this goes wrong, and judge what came of it."""
    stage = house.stage
    with ExitStack() as undo:
        if trouble.second_worker:
            undo.enter_context(stage.second_worker())
        undo.callback(stage.calm)  # before the second worker goes
        stage.wait_until_well()
        coveted = creator.on_sale if trouble.case is Case.RACES else ""
        buyer = undo.enter_context(buying(house, coveted))
        deletion = undo.enter_context(closing(Deletion(stage, creator)))
        deletion.remember()
        _begin(stage, trouble)
        began = time.monotonic()
        state = _until_it_ends(stage, deletion, buyer, creator, trouble)
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
            sold = trouble.case is Case.RACES
            objections += deletion.objections(buyer, sold_meanwhile=sold)
        return Verdict(trouble, state, took, tuple(objections), met, commits)


@contextmanager
def buying(house: House, coveted: str = "") -> Iterator[Buyer]:
    """Have somebody buy of the house all the time, and of another show if it is coveted."""
    email = f"buyer-{uuid4().hex[:12]}@chaos.example"
    buyer = Buyer(house.stage.stack.url, email, house.free[1:])
    buyer.covet(coveted)
    buyer.start()
    try:
        yield buyer
    finally:
        buyer.finish()


def _begin(stage: Stage, trouble: Trouble) -> None:
    stage.commits.begin(trouble.fault)
    if trouble.call:
        stage.calls[trouble.callee].begin(trouble.call)


def _until_it_ends(
    stage: Stage, deletion: Deletion, buyer: Buyer, creator: Creator, trouble: Trouble
) -> str:
    """Return the state in which it ends, or is when the time is over."""
    began, dies = time.monotonic(), trouble.database_dies
    with ThreadPoolExecutor(1) as asking:
        asked = asking.submit(deletion.ask)
        while (state := deletion.state()) not in ENDED:
            if trouble.case is Case.GOES and deletion.fenced():
                buyer.covet(creator.on_sale)
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

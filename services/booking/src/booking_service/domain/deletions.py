"""The deletion of a person's account, as far as bookings are concerned (docs/rules.md#deletion)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

TITLES_IN_A_MESSAGE = 3


class DeletionState(StrEnum):
    """How far a deletion is here."""

    FENCED = "FENCED"  # decided elsewhere: nothing of the person is sold or booked meanwhile
    LIFTED = "LIFTED"  # it came to nothing
    PURGED = "PURGED"  # the person is gone


class Outcome(StrEnum):
    """What a command about a deletion came to; the values are the wire's."""

    FENCED = "FENCED"
    REFUSED = "REFUSED"  # nothing is fenced or remembered
    LIFTED = "LIFTED"
    PURGING = "PURGING"  # a part is done, and nothing takes it back any more
    PURGED = "PURGED"


class Obstacle(StrEnum):
    """Why a person cannot be deleted yet; the values are the wire's."""

    CANCELLATION_RUNNING = "CANCELLATION_RUNNING"
    PAYOUT_OPEN = "PAYOUT_OPEN"
    SHOWS_WITH_TICKETS = "SHOWS_WITH_TICKETS"


class Counted(StrEnum):
    """What a purge counts for the person's receipt; the values are the wire's."""

    HOLDS_RELEASED = "holdsReleased"
    BOOKINGS_CANCELLED = "bookingsCancelled"
    BOOKINGS_ANONYMISED = "bookingsAnonymised"
    OFFERS_DELETED = "offersDeleted"
    SHOWS_CANCELLED = "showsCancelled"
    SHOWS_KEPT = "showsKept"  # others booked them: they stay, without a creator


@dataclass(frozen=True, slots=True)
class ShowInTheWay:
    """A show of the person that has to be settled first."""

    id: UUID
    title: str
    obstacle: Obstacle


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a person cannot be deleted yet, as the person is told it."""

    code: Obstacle
    message: str
    shows: Sequence[ShowInTheWay]


@dataclass(frozen=True, slots=True)
class Answer:
    """What identity is answered about a deletion."""

    state: Outcome
    reasons: Sequence[Reason] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deletion:
    """A person's deletion as it is remembered here."""

    saga_id: UUID
    state: DeletionState
    counts: Mapping[str, int] | None  # None: the purge has not begun

    @property
    def answer(self) -> Answer:
        """How the deletion stands."""
        if self.counts is None:
            return Answer(Outcome(self.state.value))
        if self.state is DeletionState.FENCED:
            return Answer(Outcome.PURGING)
        return Answer(Outcome(self.state.value), counts=self.counts)


@dataclass(frozen=True, slots=True)
class _Words:
    one: str
    several: str
    advice_for_one: str
    advice_for_several: str


_WORDS = {
    Obstacle.CANCELLATION_RUNNING: _Words(
        "a show that is still being cancelled",
        "shows that are still being cancelled",
        "Please try again in a few minutes.",
        "Please try again in a few minutes.",
    ),
    Obstacle.PAYOUT_OPEN: _Words(
        "a show whose earnings have not been paid out to you yet",
        "shows whose earnings have not been paid out to you yet",
        "Please wait for the payout.",
        "Please wait for the payouts.",
    ),
    Obstacle.SHOWS_WITH_TICKETS: _Words(
        "a show with sold tickets",
        "shows with sold tickets",
        "Cancel it or wait until it is over.",
        "Cancel them or wait until they are over.",
    ),
}


def reasons_against(shows: Iterable[ShowInTheWay]) -> list[Reason]:
    """Return why a person with these shows cannot be deleted yet, one reason for each obstacle."""
    by_obstacle: dict[Obstacle, list[ShowInTheWay]] = {each: [] for each in Obstacle}
    for show in shows:
        by_obstacle[show.obstacle].append(show)
    return [
        Reason(obstacle, _message(obstacle, [show.title for show in found]), found)
        for obstacle, found in by_obstacle.items()
        if found
    ]


def _message(obstacle: Obstacle, titles: Sequence[str]) -> str:
    words = _WORDS[obstacle]
    if len(titles) == 1:
        return f"You have {words.one}: {titles[0]}. {words.advice_for_one}"
    return f"You have {len(titles)} {words.several}: {_listed(titles)}. {words.advice_for_several}"


def _listed(titles: Sequence[str]) -> str:
    shown = list(titles[:TITLES_IN_A_MESSAGE])
    more = len(titles) - len(shown)
    last = f"{more} more" if more else shown.pop()
    return f"{', '.join(shown)} and {last}"

"""Calls to identity: who people are, for those who may know."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from service_kit.peers import Answer, Peer, PeerUnavailable

IDENTITY = "identity"
NAMES = "identity:people:read"
CONTACTS = "identity:contacts:read"
FIGURES = "identity:figures:read"
MAX_PEOPLE_PER_CALL = 200

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Contact:
    """How somebody is reached, for admins."""

    email: str
    name: str | None
    organizer_name: str | None
    stage_name: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """How many people there are."""

    total_users: int
    new_users_today: int
    pending_approvals: int


@dataclass(frozen=True, slots=True)
class PeopleClient:
    """Looks people up; every method raises `PeerUnavailable` without a usable answer."""

    peer: Peer

    def names(self, ids: Collection[UUID]) -> dict[UUID, str | None]:
        """Return what people are called; those who are gone are absent."""
        found = self._about("/internal/people", ids, scope=NAMES, member="people")
        return _read(lambda: {UUID(each["id"]): each["name"] for each in found})

    def contacts(self, ids: Collection[UUID]) -> dict[UUID, Contact]:
        """Return how people are reached; those who are gone are absent."""
        found = self._about("/internal/contacts", ids, scope=CONTACTS, member="contacts")
        return _read(
            lambda: {
                UUID(each["id"]): Contact(
                    email=str(each["email"]),
                    name=each["name"],
                    organizer_name=each["organizerName"],
                    stage_name=each["stageName"],
                )
                for each in found
            }
        )

    def with_email(self, email: str) -> list[UUID]:
        """Return everybody with this e-mail, in any case."""
        answer = self.peer.call(
            "POST",
            "/internal/contacts/search",
            scope=CONTACTS,
            body={"email": email},
            idempotent=True,
        )
        return _read(lambda: [UUID(each) for each in _body(answer)["ids"]])

    def figures(self) -> Figures:
        """Return how many people there are, new ones today, and open applications."""
        answer = self.peer.get("/internal/figures", scope=FIGURES)
        return _read(
            lambda: Figures(
                total_users=int(_body(answer)["totalUsers"]),
                new_users_today=int(_body(answer)["newUsersToday"]),
                pending_approvals=int(_body(answer)["pendingApprovals"]),
            )
        )

    def _about(self, path: str, ids: Collection[UUID], *, scope: str, member: str) -> list[Any]:
        wanted, found = sorted(set(ids)), []
        for start in range(0, len(wanted), MAX_PEOPLE_PER_CALL):
            some = ",".join(map(str, wanted[start : start + MAX_PEOPLE_PER_CALL]))
            answer = self.peer.get(path, scope=scope, params={"ids": some})
            found += _members(answer, member)
        return found


def _members(answer: Answer, member: str) -> list[Any]:
    return _read(lambda: list(_body(answer)[member]))


def _body(answer: Answer) -> Any:
    if not answer.ok:
        raise PeerUnavailable.of(IDENTITY, f"answered {answer.status} about people")
    return answer.body


def _read(read: Callable[[], T]) -> T:
    try:
        return read()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PeerUnavailable.of(IDENTITY, "answered with something else than people") from error

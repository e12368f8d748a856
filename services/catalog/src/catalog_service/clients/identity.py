"""Calls to identity: who the creators of shows are."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from catalog_service.clients.remembered import Remembered
from service_kit.peers import Peer, PeerUnavailable

IDENTITY = "identity"
NAMES_SECONDS = 60.0
STALE_NAMES_SECONDS = 3600.0
MAX_PEOPLE_PER_CALL = 200


@dataclass(frozen=True, slots=True)
class Person:
    """What others may know about somebody."""

    name: str | None
    role: str  # as stored: AUDIENCE, ORGANIZER, COMEDIAN, ADMIN
    approved: bool

    @property
    def public_role(self) -> str:
        """The role as the API writes it: creators' roles say whether they are approved."""
        if self.role not in {"ORGANIZER", "COMEDIAN"}:
            return self.role
        return f"{self.role}_{'VERIFIED' if self.approved else 'UNVERIFIED'}"


@dataclass(frozen=True, slots=True)
class Contact:
    """How an admin reaches a creator."""

    email: str
    organizer_name: str | None


class ContactClient:
    """Looks up how creators are reached, for admins; addresses may be a minute old."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._remembered = Remembered(self._ask, seconds=NAMES_SECONDS)

    def of(self, user_ids: Iterable[UUID]) -> dict[UUID, Contact | None]:
        """Return how these people are reached; None if nobody is, absent if unknown now."""
        return self._remembered.about(user_ids)

    def _ask(self, user_ids: Sequence[UUID]) -> dict[UUID, Contact]:
        found: dict[UUID, Contact] = {}
        for start in range(0, len(user_ids), MAX_PEOPLE_PER_CALL):
            batch = user_ids[start : start + MAX_PEOPLE_PER_CALL]
            answer = self._peer.get(
                "/internal/contacts",
                scope="identity:contacts:read",
                params={"ids": ",".join(map(str, batch))},
            )
            if not answer.ok:
                raise PeerUnavailable.of(IDENTITY, f"answered {answer.status} about contacts")
            found.update(_contacts(answer.body))
        return found


class PeopleClient:
    """Looks people up; names may be a minute old."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._remembered = Remembered(
            self._ask, seconds=NAMES_SECONDS, stale_seconds=STALE_NAMES_SECONDS
        )

    def of(self, user_ids: Iterable[UUID]) -> dict[UUID, Person | None]:
        """Return who these people are; None if there is no such person, absent if unknown now."""
        return self._remembered.about(user_ids)

    def name_of(self, user_id: UUID) -> str | None:
        """Return somebody's name as it is now.

        Raises:
            PeerUnavailable: identity cannot be asked.
        """
        person = self._ask([user_id]).get(user_id)
        return None if person is None else person.name

    def pictures_of(self, user_ids: Collection[UUID]) -> dict[UUID, str | None]:
        """Return these people's profile pictures as they are now; who is gone is absent.

        Raises:
            PeerUnavailable: identity cannot be asked.
        """
        pictures: dict[UUID, str | None] = {}
        for body in self._answers(list(user_ids)):
            pictures.update(_pictures(body))
        return pictures

    def _ask(self, user_ids: Sequence[UUID]) -> dict[UUID, Person]:
        found: dict[UUID, Person] = {}
        for body in self._answers(user_ids):
            found.update(_people(body))
        return found

    def _answers(self, user_ids: Sequence[UUID]) -> Iterator[Any]:
        for start in range(0, len(user_ids), MAX_PEOPLE_PER_CALL):
            batch = user_ids[start : start + MAX_PEOPLE_PER_CALL]
            answer = self._peer.get(
                "/internal/people",
                scope="identity:people:read",
                params={"ids": ",".join(map(str, batch))},
            )
            if not answer.ok:
                raise PeerUnavailable.of(IDENTITY, f"answered {answer.status} about people")
            yield answer.body


def _contacts(body: Any) -> dict[UUID, Contact]:
    try:
        return {
            UUID(person["id"]): Contact(
                email=str(person["email"]), organizer_name=person["organizerName"]
            )
            for person in body["contacts"]
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PeerUnavailable.of(IDENTITY, "answered with something else than contacts") from error


def _people(body: Any) -> dict[UUID, Person]:
    try:
        return {
            UUID(person["id"]): Person(
                name=None if person["name"] is None else str(person["name"]),
                role=str(person["role"]),
                approved=person["approved"] is True,
            )
            for person in body["people"]
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PeerUnavailable.of(IDENTITY, "answered with something else than people") from error


def _pictures(body: Any) -> dict[UUID, str | None]:
    try:
        return {
            UUID(person["id"]): None if person["image"] is None else str(person["image"])
            for person in body["people"]
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PeerUnavailable.of(IDENTITY, "answered without people's pictures") from error

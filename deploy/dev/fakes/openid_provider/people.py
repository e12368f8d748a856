"""Who can sign in: four people the rest of the system knows, and whoever is typed in."""

import re
from dataclasses import dataclass

_EMAIL = re.compile(r"[^@\s\"<>]{1,64}@[a-z0-9.-]{1,189}")


class NotAnEmail(Exception):
    """What was typed in is no e-mail address."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an e-mail address, which also is their subject identifier."""

    email: str
    name: str
    email_verified: bool = True


SEEDED = (
    Person("audience@comedy.example", "Asha Reddy"),
    Person("organizer@comedy.example", "Omar Siddiqui"),
    Person("comedian@comedy.example", "Charan Rao"),
    Person("admin@comedy.example", "Anita Desai"),
)


def person_of(typed: str) -> Person:
    """Return the person with this e-mail address, known or not; its case means nothing.

    Raises:
        NotAnEmail: it does not look like an address.
    """
    email = typed.strip().lower()
    if not _EMAIL.fullmatch(email):
        raise NotAnEmail(typed)
    for person in SEEDED:
        if person.email == email:
            return person
    return Person(email, _name_from(email))


def _name_from(email: str) -> str:
    """Make `ravi.kumar+test@…` Ravi Kumar."""
    local_part = email.partition("@")[0].partition("+")[0]
    return re.sub(r"[._-]+", " ", local_part).strip().title() or email

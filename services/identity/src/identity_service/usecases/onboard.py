"""Taking in what a person answers after the first sign-in."""

from uuid import UUID

from identity_service.domain.errors import UnknownPerson
from identity_service.domain.people import Onboarding, Person
from identity_service.repositories.transaction import Begin


def onboard(begin: Begin, *, user_id: UUID, answers: Onboarding) -> Person:
    """Store the answers and return the person; answering again replaces them.

    Raises:
        UnknownPerson: the person is gone.
    """
    with begin() as tx:
        if tx.people.lock(user_id) is None:
            raise UnknownPerson
        tx.people.onboard(user_id, answers)
        person = tx.people.get(user_id)
    if person is None:
        raise UnknownPerson
    return person

"""Having nothing of a person sold or booked while the deletion of the account is decided."""

from uuid import UUID

from booking_service.domain.deletions import Answer, Outcome, reasons_against
from booking_service.repositories.transaction import Begin


def fence_person(begin: Begin, *, saga_id: UUID, person_id: UUID) -> Answer:
    """Fence a person, or say what has to be settled first; idempotent per saga.

    No sale of the person's shows and no booking of the person's commits after it. It is judged by
    the database's clock with all of the person's shows locked, so that none slips in between. If it
    is refused, nothing is stored. A deletion that is over stays so, however late this arrives.

    Raises:
        AnotherDeletion: another saga has this person.
    """
    with begin() as tx:
        tx.deletions.claim(person_id)
        known = tx.deletions.of_saga(saga_id, person_id)
        if known is not None:
            return known.answer
        tx.creators.claim(person_id)
        tx.creators.lock_shows(person_id)
        reasons = reasons_against(tx.creators.shows_in_the_way(person_id))
        if reasons:
            return Answer(Outcome.REFUSED, reasons)
        tx.deletions.fence(saga_id, person_id)
        tx.creators.put_in_force(person_id)
        return Answer(Outcome.FENCED)

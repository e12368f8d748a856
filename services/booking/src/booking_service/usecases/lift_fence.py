"""Giving a person whose deletion came to nothing everything back."""

from uuid import UUID

from booking_service.domain.deletions import Answer, Outcome
from booking_service.repositories.transaction import Begin


def lift_fence(begin: Begin, *, saga_id: UUID, person_id: UUID) -> Answer:
    """Lift a person's fence; idempotent per saga, and remembered if the fence never arrived.

    Shows are sold again if the creator's standing allows it by now. What a purge has begun stays.

    Raises:
        AnotherDeletion: the saga is another person's.
    """
    with begin() as tx:
        tx.deletions.claim(person_id)
        known = tx.deletions.of_saga(saga_id, person_id)
        if known is not None and known.answer.state is not Outcome.FENCED:
            return known.answer
        tx.creators.claim(person_id)
        tx.deletions.lift(saga_id, person_id)
        tx.creators.put_in_force(person_id)
        return Answer(Outcome.LIFTED)

"""Giving the second factor back."""

from uuid import UUID

from identity_service.domain.audit import Action
from identity_service.repositories.transaction import Begin


def end_second_factor(begin: Begin, *, user_id: UUID, session_id: UUID) -> None:
    """Let the session no longer do what needs the second factor; repeating it changes nothing."""
    with begin() as tx:
        if tx.sessions.end_second_factor(session_id, user_id=user_id):
            tx.audit.record(Action.SECOND_FACTOR_ENDED, actor_id=user_id)

"""Durable work on decisions: the creator is told, however long the mail server is away."""

from uuid import UUID

from identity_service.repositories.transaction import Begin
from identity_service.usecases.tell_creator import tell_creator
from service_kit.durable import step
from service_kit.mail import Post


class DecisionWorkflows:
    """Sends mails to creators; addresses are read then, and stored nowhere else."""

    def __init__(self, begin: Begin, post: Post) -> None:
        self._begin = begin
        self._post = post

    def tell_creator(self, approval_id: str) -> None:
        """Tell a creator of one decision."""
        step("tell_creator", self._tell, approval_id)

    def _tell(self, approval_id: str) -> None:
        tell_creator(self._begin, self._post, approval_id=UUID(approval_id))

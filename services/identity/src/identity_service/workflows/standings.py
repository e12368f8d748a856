"""Durable work on standings: what was decided is told, however long a receiver is away."""

from collections.abc import Mapping
from uuid import UUID

from identity_service.clients.standing import StandingClient
from identity_service.repositories.transaction import Begin
from identity_service.usecases.send_standing import send_standing
from service_kit.durable import step


class StandingWorkflows:
    """Keeps what the other services know of creators in step with the decisions."""

    def __init__(self, begin: Begin, receivers: Mapping[str, StandingClient]) -> None:
        self._begin = begin
        self._receivers = receivers

    def send_standing(self, receiver: str, standing_id: str) -> None:
        """Tell one receiver whether a creator's shows may be on sale."""
        step("send_standing", self._send, receiver, standing_id)

    def _send(self, receiver: str, standing_id: str) -> None:
        send_standing(self._begin, self._receivers[receiver], standing_id=UUID(standing_id))

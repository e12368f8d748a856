"""Calls to the other services for what they store about a person."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from service_kit.peers import Peer, PeerUnavailable


class ExportClient:
    """Asks one service for everything that it stores about a person."""

    def __init__(self, holder: str, peer: Peer) -> None:
        self._holder = holder
        self._peer = peer

    def of(self, user_id: UUID) -> Mapping[str, Any]:
        """Return what the service stores about the person, as it tells it.

        Raises:
            PeerUnavailable: the service did not tell.
        """
        answer = self._peer.get(
            f"/internal/people/{user_id}/export", scope=f"{self._holder}:people:export"
        )
        if not answer.ok or not isinstance(answer.body, dict):
            raise PeerUnavailable.of(self._holder, f"answered {answer.status} about a person")
        return answer.body

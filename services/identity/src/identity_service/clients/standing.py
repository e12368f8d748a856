"""Calls to the services that act on a creator's standing: booking and catalog."""

from identity_service.domain.standing import Standing
from service_kit.peers import Peer, PeerUnavailable


class StandingClient:
    """Tells one service whether a creator's shows may be on sale."""

    def __init__(self, receiver: str, peer: Peer) -> None:
        self._receiver = receiver
        self._peer = peer

    def put(self, standing: Standing) -> int | None:
        """Return None if the service goes by this from now on, else the version that it goes by.

        Raises:
            PeerUnavailable: the service did not say.
        """
        answer = self._peer.call(
            "PUT",
            f"/internal/creators/{standing.creator_id}/standing",
            scope=f"{self._receiver}:standing:write",
            body={"allowed": standing.allowed, "version": standing.version},
            idempotent=True,
        )
        try:
            applied, version = answer.body["applied"], int(answer.body["version"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._unusable(answer.status) from error
        if not answer.ok:
            raise self._unusable(answer.status)
        return None if applied else version

    def _unusable(self, status: int) -> PeerUnavailable:
        return PeerUnavailable.of(self._receiver, f"answered {status} to a standing")

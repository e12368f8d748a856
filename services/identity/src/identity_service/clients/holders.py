"""Calls to the services that hold something about a person whose account is deleted."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

from identity_service.domain.deletions import Fence, FenceAnswer, read_reasons
from service_kit.peers import Peer, PeerUnavailable

MOST_HASHES = 1000  # in one question about remains


class HolderClient:
    """One service's part in deletions; every command may be repeated and may come late."""

    def __init__(self, holder: str, peer: Peer) -> None:
        self._holder = holder
        self._peer = peer

    def fence(self, saga_id: UUID, person_id: UUID) -> FenceAnswer:
        """Have everything of the person kept as it is, or be told why it must not go.

        Raises:
            PeerUnavailable: the service did not say; it may have fenced.
        """
        body = self._command(saga_id, "fence", person_id)
        try:
            return FenceAnswer(Fence(body["state"]), read_reasons(body["reasons"]))
        except (KeyError, TypeError, ValueError) as error:
            raise self._unusable("fence") from error

    def lift_fence(self, saga_id: UUID, person_id: UUID) -> None:
        """Let everything go on as before; the service refuses a fence that comes later.

        Raises:
            PeerUnavailable: the service did not say.
        """
        self._command(saga_id, "lift", person_id)

    def purge(self, saga_id: UUID, person_id: UUID) -> dict[str, int] | None:
        """Have what is there of the person removed; return what that came to, None if not all is.

        Raises:
            PeerUnavailable: the service did not say.
        """
        body = self._command(saga_id, "purge", person_id)
        try:
            state = Fence(body["state"])
            counts = {str(name): int(count) for name, count in body["counts"].items()}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._unusable("purge") from error
        if state not in {Fence.PURGING, Fence.PURGED}:
            raise PeerUnavailable.of(self._holder, f"answered {state} to purge")
        return counts if state is Fence.PURGED else None

    def remains(self, hashes: Sequence[bytes]) -> list[UUID]:
        """Return whom of these deleted people the service knows, as after a restore.

        Raises:
            PeerUnavailable: the service did not say.
        """
        found: list[UUID] = []
        for start in range(0, len(hashes), MOST_HASHES):
            asked = [each.hex() for each in hashes[start : start + MOST_HASHES]]
            answer = self._peer.call(
                "POST",
                "/internal/deletions/remains",
                scope=f"{self._holder}:purge-user",
                body={"personHashes": asked},
                idempotent=True,
            )
            try:
                found += [UUID(each) for each in answer.body["personIds"]]
            except (KeyError, TypeError, ValueError) as error:
                raise self._unusable("remains") from error
        return found

    def _command(self, saga_id: UUID, command: str, person_id: UUID) -> Mapping[str, Any]:
        answer = self._peer.call(
            "POST",
            f"/internal/deletions/{saga_id}/{command}",
            scope=f"{self._holder}:purge-user",
            body={"personId": str(person_id)},
            idempotent=True,
        )
        if answer.status != HTTPStatus.OK or not isinstance(answer.body, dict):
            raise PeerUnavailable.of(self._holder, f"answered {answer.status} to {command}")
        return answer.body

    def _unusable(self, command: str) -> PeerUnavailable:
        return PeerUnavailable.of(self._holder, f"answered something else to {command}")

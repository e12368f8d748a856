"""Calls to identity: what was agreed with creators."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from booking_service.domain.creators import PlatformFees
from booking_service.domain.pricing import BASIS_POINTS
from service_kit.peers import Peer, PeerUnavailable

IDENTITY = "identity"
SCOPE = "identity:creators:read"
MAX_CREATORS_PER_CALL = 200


@dataclass(frozen=True, slots=True)
class IdentityClient:
    """What booking asks of identity."""

    peer: Peer

    def platform_fees(self, creator_ids: Sequence[UUID]) -> PlatformFees:
        """Return what was agreed with these creators, at most `MAX_CREATORS_PER_CALL` of them.

        With somebody identity does not know, nothing was agreed.

        Raises:
            PeerUnavailable: no usable answer.
        """
        answer = self.peer.get(
            "/internal/creators/terms",
            scope=SCOPE,
            params={"ids": ",".join(map(str, creator_ids))},
        )
        if not answer.ok:
            raise PeerUnavailable.of(IDENTITY, f"answered {answer.status} about creators")
        try:
            said = {
                UUID(creator["id"]): _share(creator["platformFeeBasisPoints"])
                for creator in answer.body["creators"]
            }
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise PeerUnavailable.of(
                IDENTITY, "answered with something else than creators"
            ) from error
        return {creator_id: said.get(creator_id) for creator_id in creator_ids}


def _share(basis_points: int | None) -> int | None:
    if basis_points is None or 0 <= int(basis_points) <= BASIS_POINTS:
        return None if basis_points is None else int(basis_points)
    raise ValueError("a fee must be a share")

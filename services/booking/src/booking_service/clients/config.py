"""Calls to the config service."""

from dataclasses import dataclass

from booking_service.domain.pricing import FeeSchedule, FeeSlab
from booking_service.domain.sale_rules import PlatformSettings
from service_kit.peers import Peer, PeerUnavailable

SCOPE = "config:fees:read"


@dataclass(frozen=True, slots=True)
class ConfigClient:
    """What booking asks of the config service."""

    peer: Peer

    def fee_schedule(self, known: FeeSchedule | None) -> FeeSchedule:
        """Return the fee schedule in force; `known` itself if it still is.

        Raises:
            PeerUnavailable: no usable answer.
        """
        headers = {"If-None-Match": f'"fees-{known.version}"'} if known else {}
        answer = self.peer.get("/internal/fee-schedule", scope=SCOPE, headers=headers)
        if answer.status == 304 and known is not None:
            return known
        if not answer.ok:
            raise PeerUnavailable.of("config", f"answered {answer.status}")
        try:
            return FeeSchedule(
                version=int(answer.body["version"]),
                platform_fee_basis_points=int(answer.body["platformFeeBasisPoints"]),
                slabs=tuple(
                    FeeSlab(int(slab["fromRupees"]), int(slab["basisPoints"]))
                    for slab in answer.body["slabs"]
                ),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise PeerUnavailable.of("config", "answered with something else than fees") from error

    def platform_settings(self, known: PlatformSettings | None) -> PlatformSettings:
        """Return the settings to sell by in force; `known` itself if they still are.

        Raises:
            PeerUnavailable: no usable answer.
        """
        headers = {"If-None-Match": f'"settings-{known.version}"'} if known else {}
        answer = self.peer.get("/internal/booking-settings", scope=SCOPE, headers=headers)
        if answer.status == 304 and known is not None:
            return known
        if not answer.ok:
            raise PeerUnavailable.of("config", f"answered {answer.status}")
        try:
            settings = PlatformSettings(int(answer.body["version"]), answer.body)
            settings.sale_rules  # noqa: B018 what cannot be read is not kept
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise PeerUnavailable.of("config", "answered with no settings") from error
        return settings

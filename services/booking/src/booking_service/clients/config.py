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

    def fee_schedule(self) -> FeeSchedule:
        """Return the fee schedule in force, whole: its number alone may be of another one.

        Raises:
            PeerUnavailable: no usable answer.
        """
        answer = self.peer.get("/internal/fee-schedule", scope=SCOPE)
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

    def platform_settings(self) -> PlatformSettings:
        """Return the settings to sell by in force, whole as well.

        Raises:
            PeerUnavailable: no usable answer.
        """
        answer = self.peer.get("/internal/booking-settings", scope=SCOPE)
        if not answer.ok:
            raise PeerUnavailable.of("config", f"answered {answer.status}")
        try:
            settings = PlatformSettings(int(answer.body["version"]), answer.body)
            settings.sale_rules  # noqa: B018 what cannot be read is not kept
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise PeerUnavailable.of("config", "answered with no settings") from error
        return settings

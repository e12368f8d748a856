"""What a buyer gets back (docs/rules.md#refunds)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from booking_service.domain.pricing import BASIS_POINTS


@dataclass(frozen=True, slots=True)
class RefundTier:
    """The share of the tickets that is refunded up to so many hours before the start."""

    hours_before_start: int
    basis_points: int


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """What a buyer who cancels gets back; tiers are sorted, the longest time first.

    Raises:
        ValueError: nobody could be refunded by these.
    """

    tiers: tuple[RefundTier, ...]
    refunds_convenience_fee: bool

    def __post_init__(self) -> None:
        hours = [tier.hours_before_start for tier in self.tiers]
        if hours != sorted(set(hours), reverse=True) or any(each < 0 for each in hours):
            raise ValueError("tiers must be sorted, the longest time first")
        if not all(0 <= tier.basis_points <= BASIS_POINTS for tier in self.tiers):
            raise ValueError("a refund must be a share")


DEFAULT_POLICY = RefundPolicy((RefundTier(24, BASIS_POINTS),), refunds_convenience_fee=False)
"""What holds until the config service has said anything."""


def read_policy(document: Mapping[str, Any]) -> RefundPolicy:
    """Return a policy as the config service writes it.

    Raises:
        KeyError, TypeError, ValueError: it cannot be read.
    """
    return RefundPolicy(
        tuple(
            RefundTier(int(tier["hoursBeforeStart"]), int(tier["basisPoints"]))
            for tier in document["tiers"]
        ),
        refunds_convenience_fee=document["refundsConvenienceFee"] is True,
    )

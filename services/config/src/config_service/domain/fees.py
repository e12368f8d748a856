"""The fee schedule: what buyers and creators pay the platform (docs/rules.md#fees)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from config_service.domain.errors import InvalidFeeSchedule
from config_service.domain.values import BASIS_POINTS

OPEN_END_RUPEES = 1_000_000  # written as the last slab's upper bound on the wire
MAX_SLABS = 100


@dataclass(frozen=True, slots=True)
class FeeSlab:
    """The convenience fee of tickets from a price on, up to where the next slab starts."""

    from_rupees: int
    basis_points: int  # of the ticket price; 800 is 8 %


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """The platform's share and the convenience-fee slabs, sorted, without gap or overlap.

    Raises:
        InvalidFeeSchedule: says which rule is broken.
    """

    platform_fee_basis_points: int  # of the ticket total, taken from the creator
    slabs: tuple[FeeSlab, ...]

    def __post_init__(self) -> None:
        _check_share("the platform fee", self.platform_fee_basis_points)
        _check_slabs(self.slabs)


@dataclass(frozen=True, slots=True)
class BoundedSlab:
    """A slab as the wire has it: with its last whole rupee, which means nothing in the last one."""

    from_rupees: int
    to_rupees: object
    basis_points: int


def contiguous(slabs: Sequence[BoundedSlab]) -> tuple[FeeSlab, ...]:
    """Return the slabs without their upper bounds, which say nothing new.

    Raises:
        InvalidFeeSchedule: they leave a gap, overlap, or are not sorted.
    """
    for slab, following in pairwise(slabs):
        _check_bound(slab, last_rupee=following.from_rupees - 1)
    return tuple(FeeSlab(slab.from_rupees, slab.basis_points) for slab in slabs)


def upper_bounds(slabs: Sequence[FeeSlab]) -> list[int]:
    """Return each slab's last whole rupee: one below the next slab's start."""
    return [following.from_rupees - 1 for following in slabs[1:]] + [OPEN_END_RUPEES]


def _check_bound(slab: BoundedSlab, *, last_rupee: int) -> None:
    if last_rupee < slab.from_rupees:
        raise InvalidFeeSchedule("Slabs must be sorted by price and not overlap.")
    if slab.to_rupees == last_rupee and not isinstance(slab.to_rupees, bool):
        return
    number = slab.to_rupees if isinstance(slab.to_rupees, int | float) else None
    what = "leaves a gap" if number is None or number < last_rupee else "overlaps"
    raise InvalidFeeSchedule(
        f"The slab from {slab.from_rupees} must end at {last_rupee}, one rupee below the next "
        f"one's start; as it is it {what}."
    )


def _check_slabs(slabs: Sequence[FeeSlab]) -> None:
    if len(slabs) > MAX_SLABS:
        raise InvalidFeeSchedule(f"There can be at most {MAX_SLABS} slabs.")
    if not slabs or slabs[0].from_rupees != 0:
        raise InvalidFeeSchedule("The first slab must start at 0.")
    starts = [slab.from_rupees for slab in slabs]
    if any(later <= earlier for earlier, later in pairwise(starts)):
        raise InvalidFeeSchedule("Slabs must be sorted by price and not overlap.")
    if starts[-1] >= OPEN_END_RUPEES:
        raise InvalidFeeSchedule(f"A slab must start below {OPEN_END_RUPEES}.")
    for slab in slabs:
        _check_share(f"the fee of the slab from {slab.from_rupees}", slab.basis_points)


def _check_share(what: str, basis_points: int) -> None:
    if not 0 <= basis_points <= BASIS_POINTS:
        raise InvalidFeeSchedule(f"{what[0].upper()}{what[1:]} must be between 0 and 100 %.")


DEFAULT_FEE_SCHEDULE = FeeSchedule(
    platform_fee_basis_points=800,
    slabs=(FeeSlab(0, 700), FeeSlab(200, 800), FeeSlab(401, 900)),
)

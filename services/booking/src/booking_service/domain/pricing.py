"""What a booking costs its buyer and its creator (docs/rules.md#fees). Money is whole paise."""

from dataclasses import dataclass

BASIS_POINTS = 10_000  # 100 %
PAISE_PER_RUPEE = 100


@dataclass(frozen=True, slots=True)
class FeeSlab:
    """The convenience fee of tickets from a price on, up to where the next slab starts."""

    from_rupees: int
    basis_points: int


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """The platform-wide fees, as the config service versions them; slabs are sorted from 0.

    Raises:
        ValueError: nobody could be charged by these.
    """

    version: int
    platform_fee_basis_points: int
    slabs: tuple[FeeSlab, ...]

    def __post_init__(self) -> None:
        starts = [slab.from_rupees for slab in self.slabs]
        shares = [self.platform_fee_basis_points, *(slab.basis_points for slab in self.slabs)]
        if starts[:1] != [0] or starts != sorted(set(starts)):
            raise ValueError("slabs must start at 0 and be sorted")
        if not all(0 <= share <= BASIS_POINTS for share in shares):
            raise ValueError("a fee must be a share")

    def may_follow(self, known: "FeeSchedule") -> bool:
        """Return whether these may come after those: newer, or the same."""
        return self.version > known.version or self == known


@dataclass(frozen=True, slots=True)
class Quote:
    """What some tickets cost: the lines a booking stores for ever."""

    quantity: int
    unit_price_paise: int
    ticket_total_paise: int
    slab: FeeSlab
    convenience_fee_paise: int  # the buyer pays it on top
    platform_fee_basis_points: int
    platform_fee_paise: int  # taken from the creator's share
    fee_schedule_version: int

    @property
    def grand_total_paise(self) -> int:
        """What the buyer pays."""
        return self.ticket_total_paise + self.convenience_fee_paise


def quote(
    *,
    unit_price_paise: int,
    quantity: int,
    schedule: FeeSchedule,
    own_platform_fee_basis_points: int | None,
) -> Quote:
    """Return the lines of a booking; each fee is rounded half up, once, on its whole line.

    Their own platform fee, if there is one, precedes the configured one.
    """
    ticket_total = unit_price_paise * quantity
    slab = slab_of(unit_price_paise, schedule)
    platform_share = (
        schedule.platform_fee_basis_points
        if own_platform_fee_basis_points is None
        else own_platform_fee_basis_points
    )
    return Quote(
        quantity=quantity,
        unit_price_paise=unit_price_paise,
        ticket_total_paise=ticket_total,
        slab=slab,
        convenience_fee_paise=share_of(ticket_total, slab.basis_points),
        platform_fee_basis_points=platform_share,
        platform_fee_paise=share_of(ticket_total, platform_share),
        fee_schedule_version=schedule.version,
    )


def own_platform_fee(*, of_show: int | None, of_creator: int | None) -> int | None:
    """Return the rate that precedes the configured one: the show's, else its creator's."""
    return of_creator if of_show is None else of_show


def slab_of(unit_price_paise: int, schedule: FeeSchedule) -> FeeSlab:
    """Return the slab of a single ticket's price: a slab starts at its lower bound."""
    return max(
        (slab for slab in schedule.slabs if slab.from_rupees * PAISE_PER_RUPEE <= unit_price_paise),
        key=lambda slab: slab.from_rupees,
    )


def share_of(amount_paise: int, basis_points: int) -> int:
    """Return a share of an amount in whole paise, rounded half up."""
    return (amount_paise * basis_points + BASIS_POINTS // 2) // BASIS_POINTS

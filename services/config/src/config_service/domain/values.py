"""What the platform lets its people configure beside the fees (docs/rules.md#configuration)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from config_service.domain.errors import InvalidSetting

BASIS_POINTS = 10_000  # 100 %
MAX_TICKETS_PER_BOOKING = 10  # configuration may lower it only: booking's tables rest on it
MAX_TICKETS_PER_PERSON = 1_000
MAX_HOLD_MINUTES = 60
MAX_REFUND_TIERS = 10
MAX_REFUND_HOURS = 24 * 365
MAX_RETENTION_YEARS = 30


@dataclass(frozen=True, slots=True)
class BookingLimits:
    """How many tickets one booking may have, and one person of one show.

    Raises:
        InvalidSetting: says which rule is broken.
    """

    tickets_per_booking: int
    tickets_per_person_and_show: int

    def __post_init__(self) -> None:
        _check_range("Tickets per booking", self.tickets_per_booking, 1, MAX_TICKETS_PER_BOOKING)
        _check_range(
            "Tickets per person and show",
            self.tickets_per_person_and_show,
            1,
            MAX_TICKETS_PER_PERSON,
        )
        if self.tickets_per_booking > self.tickets_per_person_and_show:
            raise InvalidSetting("One booking cannot have more tickets than one person may have.")


@dataclass(frozen=True, slots=True)
class HoldTime:
    """How long seats are held for a buyer who has not paid yet.

    Raises:
        InvalidSetting: not between one minute and an hour.
    """

    minutes: int

    def __post_init__(self) -> None:
        _check_range("Hold minutes", self.minutes, 1, MAX_HOLD_MINUTES)


@dataclass(frozen=True, slots=True)
class RefundTier:
    """The share of the ticket total a buyer gets back up to some hours before the start."""

    hours_before_start: int
    basis_points: int


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """What a buyer who cancels gets back: the first tier that applies; after the last, nothing.

    Raises:
        InvalidSetting: says which rule is broken.
    """

    tiers: tuple[RefundTier, ...]  # the longest time before the start first
    refunds_convenience_fee: bool  # in the same share as the tickets

    def __post_init__(self) -> None:
        _check_tiers(self.tiers)


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many years financial records are kept after their financial year has ended.

    Raises:
        InvalidSetting: not between one and thirty years.
    """

    years: int

    def __post_init__(self) -> None:
        _check_range("Retention years", self.years, 1, MAX_RETENTION_YEARS)


def _check_tiers(tiers: Sequence[RefundTier]) -> None:
    if len(tiers) > MAX_REFUND_TIERS:
        raise InvalidSetting(f"A refund policy has at most {MAX_REFUND_TIERS} tiers.")
    for tier in tiers:
        _check_range("Hours before the start", tier.hours_before_start, 0, MAX_REFUND_HOURS)
        if not 0 < tier.basis_points <= BASIS_POINTS:
            raise InvalidSetting("A tier refunds more than 0 and at most 100 %.")
    for earlier, later in pairwise(tiers):
        if later.hours_before_start >= earlier.hours_before_start:
            raise InvalidSetting("Tiers must be sorted, the longest time before the start first.")
        if later.basis_points >= earlier.basis_points:
            raise InvalidSetting("Each tier must refund less than the one before it.")


def _check_range(what: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidSetting(f"{what} must be between {least} and {most}.")

"""A show as booking sells it (docs/rules.md#offers)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking_service.domain.errors import (
    CapacityBelowSold,
    HasActiveBookings,
    ShowCancelled,
    VersionConflict,
)
from booking_service.domain.pricing import own_platform_fee


@dataclass(frozen=True, slots=True)
class Offer:
    """What catalog says of a show: the terms of its sale and what a buyer is shown."""

    show_id: UUID
    version: int
    creator_id: UUID | None
    title: str
    venue: str
    city: str
    poster_image_url: str | None
    starts_at: datetime
    duration_minutes: int
    capacity: int
    price_paise: int
    platform_fee_basis_points: int | None  # the show's own; None: the creator's or configured one
    on_sale: bool


@dataclass(frozen=True, slots=True)
class OfferVersion:
    """Which version of a show is stored."""

    show_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class Inventory:
    """The tickets of one show: `available + locked + sold` is its offer's capacity."""

    offer: Offer
    available: int
    locked: int
    sold: int
    creator_allowed: bool = True  # a creator that nothing was heard of is
    creator_fee_basis_points: int | None = None  # the creator's own platform fee
    moved_at: datetime | None = None  # when time or place last changed
    cancelled_at: datetime | None = None

    @property
    def taken(self) -> int:
        """Tickets held or sold."""
        return self.locked + self.sold

    @property
    def on_sale(self) -> bool:
        """Whether it may be sold while it has not started: an open offer of an allowed creator."""
        return self.offer.on_sale and self.creator_allowed and self.cancelled_at is None

    @property
    def own_platform_fee_basis_points(self) -> int | None:
        """The show's own platform fee, else its creator's; None: the configured one."""
        return own_platform_fee(
            of_show=self.offer.platform_fee_basis_points, of_creator=self.creator_fee_basis_points
        )


@dataclass(frozen=True, slots=True)
class Seats:
    """How many seats of several shows are in which state."""

    available: int
    locked: int
    sold: int


def is_news(current: Inventory, wished: Offer, *, unsold_only: bool = False) -> bool:
    """Return whether an offer is to be written over the stored one.

    An older version is not, nor the stored one come again. What is wished `unsold_only` is refused
    as soon as a ticket is held or sold.

    Raises:
        VersionConflict: the same version with other content.
        ShowCancelled: opening the sale of a cancelled show.
        CapacityBelowSold: fewer seats than are held or sold.
        HasActiveBookings: closing the sale or changing the price while tickets are held or sold, or
            anything that is meant for a show without.
    """
    if wished.version < current.offer.version:
        return False
    if wished.version == current.offer.version:
        if wished != current.offer:
            raise VersionConflict(f"Version {wished.version} of this offer is stored differently.")
        return False
    if current.cancelled_at is not None and wished.on_sale:
        raise ShowCancelled("The show is cancelled: it is not sold again.")
    if current.taken:
        _keep_promises(current, wished, unsold_only=unsold_only)
    return True


def _keep_promises(current: Inventory, wished: Offer, *, unsold_only: bool) -> None:
    if unsold_only:
        raise HasActiveBookings("The show has active bookings: this change is for one without.")
    if wished.capacity < current.taken:
        raise CapacityBelowSold(f"{current.taken} tickets are sold or held already.")
    if current.offer.on_sale and not wished.on_sale:
        raise HasActiveBookings("The show has active bookings: cancel it instead.")
    if wished.price_paise != current.offer.price_paise:
        raise HasActiveBookings("The show has active bookings: its price is fixed.")


def moves(current: Inventory, wished: Offer) -> bool:
    """Return whether who booked before would have to go elsewhere or at another time."""
    before, after = current.offer, wished
    return (before.starts_at, before.venue, before.city) != (
        after.starts_at,
        after.venue,
        after.city,
    )

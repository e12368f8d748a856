"""A show as booking sells it (docs/rules.md#offers)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking_service.domain.errors import CapacityBelowSold, HasActiveBookings, VersionConflict


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
    platform_fee_basis_points: int | None  # the show's own; None: the configured one
    on_sale: bool


@dataclass(frozen=True, slots=True)
class Inventory:
    """The tickets of one show: `available + locked + sold` is its offer's capacity."""

    offer: Offer
    available: int
    locked: int
    sold: int

    @property
    def taken(self) -> int:
        """Tickets held or sold."""
        return self.locked + self.sold


def is_news(current: Inventory, wished: Offer) -> bool:
    """Return whether an offer is to be written over the stored one.

    An older version is not, nor the stored one come again.

    Raises:
        VersionConflict: the same version with other content.
        CapacityBelowSold: fewer seats than are held or sold.
        HasActiveBookings: closing the sale or changing the price while tickets are held or sold.
    """
    if wished.version < current.offer.version:
        return False
    if wished.version == current.offer.version:
        if wished != current.offer:
            raise VersionConflict(f"Version {wished.version} of this offer is stored differently.")
        return False
    if wished.capacity < current.taken:
        raise CapacityBelowSold(f"{current.taken} tickets are sold or held already.")
    if current.taken and current.offer.on_sale and not wished.on_sale:
        raise HasActiveBookings("The show has active bookings: cancel it instead.")
    if current.taken and wished.price_paise != current.offer.price_paise:
        raise HasActiveBookings("The show has active bookings: its price is fixed.")
    return True

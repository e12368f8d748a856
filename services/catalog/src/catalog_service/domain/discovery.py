"""How lists of shows are narrowed and ordered."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class ShowOrder(StrEnum):
    """By what a list of shows is ordered; equal ones by id."""

    DATE = "date"
    PRICE = "price"
    PRICE_DESCENDING = "-price"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowFilter:
    """Which shows are wanted; None does not narrow."""

    text: str | None = None
    city: str | None = None
    comedian_id: UUID | None = None
    starts_from: datetime | None = None
    starts_before: datetime | None = None
    min_price_paise: int | None = None
    max_price_paise: int | None = None


@dataclass(frozen=True, slots=True)
class ShowPosition:
    """Where in an order a page ends: the show that is its last one."""

    value: datetime | int
    show_id: UUID

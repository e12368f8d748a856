"""How lists of shows are narrowed and ordered."""

from dataclasses import dataclass, replace
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
    typos_forgiven: bool = False  # words spelt like those of the text will do
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


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list of shows; equal ones show the same."""

    wanted: ShowFilter
    order: ShowOrder
    limit: int
    after: ShowPosition | None = None

    @property
    def may_be_misspelt(self) -> bool:
        """Whether a list that finds nothing is to be looked for with typos forgiven."""
        return self.wanted.text is not None and self.after is None

    @property
    def forgiving_typos(self) -> "Listing":
        """The same list of what is spelt almost like the text."""
        return replace(self, wanted=replace(self.wanted, typos_forgiven=True))

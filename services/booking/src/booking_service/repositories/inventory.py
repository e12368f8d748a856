"""Every query about offers and their seats, but for the sale itself (`reservations`)."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking_service.domain.offers import Inventory, Offer
from booking_service.models import TicketInventoryRow


class InventoryRepository:
    """The one row per show: what is offered and how many seats are left."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, show_id: UUID) -> Inventory | None:
        """Return a show's inventory as last committed, None if the show is unknown here."""
        return self._one(select(TicketInventoryRow).where(TicketInventoryRow.show_id == show_id))

    def has_started(self, show_id: UUID) -> bool:
        """Return whether the show has begun, by the database's clock."""
        started = TicketInventoryRow.starts_at <= func.now()
        return bool(
            self._session.scalar(select(started).where(TicketInventoryRow.show_id == show_id))
        )

    def of_shows(self, show_ids: Sequence[UUID]) -> list[Inventory]:
        """Return the inventories of the shows that are known here."""
        rows = self._session.scalars(
            select(TicketInventoryRow).where(TicketInventoryRow.show_id.in_(show_ids))
        )
        return [_inventory(row) for row in rows]

    def add(self, offer: Offer) -> bool:
        """Open the inventory of a show with all seats available; False if there is one already."""
        inserted = self._session.execute(
            insert(TicketInventoryRow)
            .values(available=offer.capacity, **asdict(offer))
            .on_conflict_do_nothing(index_elements=[TicketInventoryRow.show_id])
            .returning(TicketInventoryRow.show_id)
        ).one_or_none()
        return inserted is not None

    def lock(self, show_id: UUID) -> Inventory | None:
        """Return a show's inventory, which nobody else moves until this transaction ends."""
        return self._one(
            select(TicketInventoryRow)
            .where(TicketInventoryRow.show_id == show_id)
            .with_for_update()
        )

    def rewrite(self, offer: Offer) -> None:
        """Store a newer offer; seats added or taken off are available ones.

        Call it with the row locked. The CHECKs of the table refuse a capacity below what is taken.
        """
        values: dict[str, Any] = asdict(offer)
        show_id = values.pop("show_id")
        row = TicketInventoryRow
        self._session.execute(
            update(row)
            .where(row.show_id == show_id, row.version < offer.version)
            .values(
                available=offer.capacity - row.locked - row.sold, updated_at=func.now(), **values
            )
        )

    def _one(self, query: Select[TicketInventoryRow]) -> Inventory | None:
        row = self._session.scalars(query).one_or_none()
        return None if row is None else _inventory(row)


def _inventory(row: TicketInventoryRow) -> Inventory:
    return Inventory(
        offer=Offer(
            show_id=row.show_id,
            version=row.version,
            creator_id=row.creator_id,
            title=row.title,
            venue=row.venue,
            city=row.city,
            poster_image_url=row.poster_image_url,
            starts_at=row.starts_at,
            duration_minutes=row.duration_minutes,
            capacity=row.capacity,
            price_paise=row.price_paise,
            platform_fee_basis_points=row.platform_fee_basis_points,
            on_sale=row.on_sale,
        ),
        available=row.available,
        locked=row.locked,
        sold=row.sold,
    )

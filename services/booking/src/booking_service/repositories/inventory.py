"""Every query about offers and their seats, but for the sale itself (`reservations`)."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Interval,
    ScalarSelect,
    Select,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking_service.domain.offers import Inventory, Offer, OfferVersion, Seats
from booking_service.models import (
    CreatorTermsRow,
    DeletedOfferRow,
    ShowCancellationRow,
    TicketInventoryRow,
)
from booking_service.repositories.creators import is_allowed
from service_kit.person_hashes import PersonHashes

_CLAIM = "offer:"


class InventoryRepository:
    """The one row per show: what is offered and how many seats are left."""

    def __init__(self, session: Session, hashes: PersonHashes) -> None:
        self._session = session
        self._hashes = hashes

    def of(self, show_id: UUID) -> Inventory | None:
        """Return a show's inventory as last committed, None if the show is unknown here."""
        return self._one(select(TicketInventoryRow).where(TicketInventoryRow.show_id == show_id))

    def has_started(self, show_id: UUID) -> bool:
        """Return whether the show has begun, by the database's clock."""
        started = TicketInventoryRow.starts_at <= func.now()
        return bool(
            self._session.scalar(select(started).where(TicketInventoryRow.show_id == show_id))
        )

    def has_ended(self, show_id: UUID) -> bool:
        """Return whether the show is over, by the database's clock."""
        ended = ends_at() <= func.clock_timestamp()
        return bool(
            self._session.scalar(select(ended).where(TicketInventoryRow.show_id == show_id))
        )

    def of_shows(self, show_ids: Sequence[UUID]) -> list[Inventory]:
        """Return the inventories of the shows that are known here."""
        rows = self._session.scalars(
            select(TicketInventoryRow).where(TicketInventoryRow.show_id.in_(show_ids))
        )
        return [_inventory(row) for row in rows]

    def versions(self, *, after: UUID | None, limit: int) -> list[OfferVersion]:
        """Return some of the offers that are a creator's and not cancelled, by their shows' ids."""
        row = TicketInventoryRow
        offers = select(row.show_id, row.version).where(
            row.creator_id.is_not(None), row.cancelled_at.is_(None)
        )
        if after is not None:
            offers = offers.where(row.show_id > after)
        found = self._session.execute(offers.order_by(row.show_id).limit(limit))
        return [OfferVersion(*each) for each in found]

    def seats(self) -> Seats:
        """Return the seats of all shows that are on sale and have not begun, added up."""
        row = TicketInventoryRow
        columns = (row.available, row.locked, row.sold)
        total = select(*(func.coalesce(func.sum(column), 0) for column in columns))
        found = self._session.execute(total.where(row.on_sale, row.starts_at > func.now())).one()
        return Seats(*map(int, found))

    def claim(self, show_id: UUID) -> None:
        """Have whoever else writes or deletes this show's offer wait until this transaction ends.

        Also for a show that has no row yet. Before any other lock; sales do not wait for it.
        """
        self._session.execute(
            select(func.pg_advisory_xact_lock(func.hashtextextended(f"{_CLAIM}{show_id}", 0)))
        )

    def add(self, offer: Offer) -> None:
        """Open the inventory of a show that is not known yet, with all seats available."""
        self._session.execute(
            insert(TicketInventoryRow).values(
                available=offer.capacity,
                creator_allowed=is_allowed(offer.creator_id, self._hashes),
                creator_fee_basis_points=_fee_of(offer.creator_id),
                **asdict(offer),
            )
        )

    def lock(self, show_id: UUID) -> Inventory | None:
        """Return a show's inventory, which nobody else moves until this transaction ends."""
        return self._one(
            select(TicketInventoryRow)
            .where(TicketInventoryRow.show_id == show_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    def lock_all(self, show_ids: Sequence[UUID]) -> None:
        """Lock the rows of many shows, in the order in which sales lock them."""
        row = TicketInventoryRow
        wanted = select(row.show_id).where(row.show_id.in_(show_ids))
        self._session.execute(wanted.order_by(row.show_id).with_for_update())

    def lock_if_free(self, show_id: UUID) -> bool:
        """Lock a show's row unless somebody else has; return whether it is locked now."""
        locked = self._session.scalar(
            select(TicketInventoryRow.show_id)
            .where(TicketInventoryRow.show_id == show_id)
            .with_for_update(skip_locked=True)
        )
        return locked is not None

    def rewrite(self, offer: Offer, *, moves: bool) -> None:
        """Store a newer offer; seats added or taken off are available ones.

        Call it with the row locked. The CHECKs of the table refuse a capacity below what is taken.
        If it `moves` the show, whoever booked before has a right to all the money back.
        """
        values: dict[str, Any] = asdict(offer)
        show_id = values.pop("show_id")
        row = TicketInventoryRow
        if moves:
            values["moved_at"] = func.clock_timestamp()
        self._session.execute(
            update(row)
            .where(row.show_id == show_id, row.version < offer.version)
            .values(
                available=offer.capacity - row.locked - row.sold,
                creator_allowed=is_allowed(offer.creator_id, self._hashes),
                creator_fee_basis_points=_fee_of(offer.creator_id),
                updated_at=func.now(),
                **values,
            )
        )

    def deleted_version(self, show_id: UUID) -> int | None:
        """Return the version with which a show was deleted, None if it was not."""
        return self._session.scalar(
            select(DeletedOfferRow.version).where(DeletedOfferRow.show_id == show_id)
        )

    def delete(self, show_id: UUID, *, version: int) -> None:
        """Remove a show's row, if there is one, and remember the newest version that is void.

        That it was cancelled is forgotten with it. The foreign keys of the tables refuse a show
        that was ever booked.
        """
        for table in (ShowCancellationRow, TicketInventoryRow):
            self._session.execute(delete(table).where(table.show_id == show_id))
        added = insert(DeletedOfferRow).values(show_id=show_id, version=version)
        self._session.execute(
            added.on_conflict_do_update(
                index_elements=[DeletedOfferRow.show_id],
                set_={
                    "version": func.greatest(DeletedOfferRow.version, added.excluded.version),
                },
            )
        )

    def orphan(self, show_id: UUID) -> None:
        """Keep a show for those who booked it when its creator goes: never sold, nobody's."""
        row = TicketInventoryRow
        self._session.execute(
            update(row)
            .where(row.show_id == show_id)
            .values(
                creator_id=None,
                creator_allowed=False,
                creator_fee_basis_points=None,
                poster_image_url=None,
                on_sale=False,
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
        creator_allowed=row.creator_allowed,
        creator_fee_basis_points=row.creator_fee_basis_points,
        moved_at=row.moved_at,
        cancelled_at=row.cancelled_at,
    )


def ends_at() -> ColumnElement[datetime]:
    """Return when the show of a `TicketInventoryRow` is over, as a column."""
    row = TicketInventoryRow
    minute = literal(timedelta(minutes=1), Interval)
    return row.starts_at + row.duration_minutes * minute


def _fee_of(creator_id: UUID | None) -> ScalarSelect[int | None]:
    row = CreatorTermsRow
    return (
        select(row.platform_fee_basis_points).where(row.creator_id == creator_id).scalar_subquery()
    )

"""Every query about shows."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    all_,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from catalog_service.domain.actors import Actor
from catalog_service.domain.discovery import Listing, ShowFilter, ShowOrder, ShowPosition
from catalog_service.domain.errors import ShowNotFound
from catalog_service.domain.shows import Show, ShowDetails, ShowStatus
from catalog_service.models import CreatorStandingRow, FencedPersonRow, ShowComedianRow, ShowRow
from catalog_service.repositories.search import (
    forgives_typos,
    mentions,
    plan_for_these_values,
    spelt_like,
)

BATCH = 20  # shows deleted in one transaction, each with its bill and changes

_ORDERS: dict[ShowOrder, tuple[InstrumentedAttribute[datetime] | InstrumentedAttribute[int], bool]]
_ORDERS = {
    ShowOrder.DATE: (ShowRow.starts_at, False),
    ShowOrder.PRICE: (ShowRow.price_paise, False),
    ShowOrder.PRICE_DESCENDING: (ShowRow.price_paise, True),
    ShowOrder.NEWEST: (ShowRow.created_at, True),
}
# Lists are read as plain rows: as entities they would take the session three times as long.
_COLUMNS = tuple(ShowRow.__table__.columns)


class ShowRepository:
    """Shows. Who may not see a show gets the same answer as for one that does not exist."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, show_id: UUID, details: ShowDetails, *, creator_id: UUID, version: int) -> Show:
        """Store a new draft."""
        row = ShowRow(
            id=show_id,
            status=ShowStatus.DRAFT,
            **_columns(details),
            creator_id=creator_id,
            version=version,
        )
        self._session.add(row)
        self._session.flush()  # the answer carries the times the database set
        self._session.refresh(row)
        return _show(row)

    def find(self, show_id: UUID) -> Show | None:
        """Return a show whoever asks."""
        row = self._session.get(ShowRow, show_id)
        return None if row is None else _show(row)

    def ids_after(self, last: UUID | None, *, limit: int) -> Sequence[UUID]:
        """Return the ids of some shows, in order."""
        ids = select(ShowRow.id).order_by(ShowRow.id).limit(limit)
        return self._session.scalars(ids if last is None else ids.where(ShowRow.id > last)).all()

    def visible_to(self, viewer: Actor | None, show_id: UUID) -> Show:
        """Return a show that everybody, or this person in particular, may see.

        Raises:
            ShowNotFound: there is none.
        """
        visible = _is_public() if viewer is None else or_(_is_public(), _editable_by(viewer))
        return self._one(select(ShowRow).where(ShowRow.id == show_id, visible))

    def editable_by(self, actor: Actor, show_id: UUID) -> Show:
        """Return a show of the actor's own; an admin's are all of them.

        Raises:
            ShowNotFound: there is none.
        """
        return self._one(select(ShowRow).where(ShowRow.id == show_id, _editable_by(actor)))

    def lock_for(self, actor: Actor, show_id: UUID) -> Show:
        """Like `editable_by`; nobody else changes the show until the transaction ends.

        Whoever locks a show and its changes locks the show first.
        """
        editable = select(ShowRow).where(ShowRow.id == show_id, _editable_by(actor))
        return self._one(editable.with_for_update())

    def lock(self, show_id: UUID) -> Show | None:
        """Return a show that nobody else changes until the transaction ends; None if it is gone."""
        with suppress(ShowNotFound):
            return self._one(select(ShowRow).where(ShowRow.id == show_id).with_for_update())
        return None

    def remove(self, show_id: UUID) -> None:
        """Delete a locked show with its bill and its changes."""
        self._session.execute(delete(ShowRow).where(ShowRow.id == show_id))

    def remove_some_of(self, creator_id: UUID) -> int:
        """Delete some of a creator's shows like `remove`, whatever their state; return how many."""
        some = select(ShowRow.id).where(ShowRow.creator_id == creator_id).order_by(ShowRow.id)
        show_ids = list(self._session.scalars(some.limit(BATCH).with_for_update()))
        self._session.execute(delete(ShowRow).where(ShowRow.id.in_(show_ids)))
        return len(show_ids)

    def replace(self, show: Show) -> None:
        """Store what a locked show is like from now on; an older version changes nothing."""
        self._session.execute(
            update(ShowRow)
            .where(ShowRow.id == show.id, ShowRow.version < show.version)
            .values(
                **_columns(show.details),
                status=show.status,
                platform_fee_basis_points=show.platform_fee_basis_points,
                version=show.version,
                updated_at=func.now(),
            )
        )

    def upcoming(self, listing: Listing, *, now: datetime) -> list[Show]:
        """Return a page, and one more, of what everybody may see and has not begun."""
        public = select(*_COLUMNS).where(_is_public(), ShowRow.starts_at > now)
        return self._page(public, listing)

    def typos_are_forgiven(self) -> bool:
        """Return whether `ShowFilter.typos_forgiven` may be asked for here."""
        return forgives_typos(self._session)

    def of_creator(self, creator_id: UUID, listing: Listing) -> list[Show]:
        """Return a page, and one more, of a creator's shows, whatever their state."""
        own = select(*_COLUMNS).where(ShowRow.creator_id == creator_id)
        return self._page(own, listing)

    def all(self, listing: Listing) -> list[Show]:
        """Return a page, and one more, of everybody's shows, whatever their state."""
        return self._page(select(*_COLUMNS), listing)

    def _page(self, query: Select[*tuple[Any, ...]], listing: Listing) -> list[Show]:
        plan_for_these_values(self._session)
        column, descending = _ORDERS[listing.order]
        if listing.after is not None:
            key = tuple_(column, ShowRow.id)
            last = tuple_(listing.after.value, listing.after.show_id)
            query = query.where(key < last if descending else key > last)
        sorting = (column.desc(), ShowRow.id.desc()) if descending else (column, ShowRow.id)
        query = query.where(*_conditions(listing.wanted)).order_by(*sorting)
        return [_show(row) for row in self._session.execute(query.limit(listing.limit + 1))]

    def _one(self, query: Select[ShowRow]) -> Show:
        # populate_existing: a row read before the lock was waited for would be served from memory
        row = self._session.scalars(query.execution_options(populate_existing=True)).one_or_none()
        if row is None:
            raise ShowNotFound
        return _show(row)


def position_of(show: Show, order: ShowOrder) -> ShowPosition:
    """Return where a show stands in an order."""
    values: dict[ShowOrder, datetime | int] = {
        ShowOrder.DATE: show.details.starts_at,
        ShowOrder.PRICE: show.details.price_paise,
        ShowOrder.PRICE_DESCENDING: show.details.price_paise,
        ShowOrder.NEWEST: show.created_at,
    }
    return ShowPosition(values[order], show.id)


def _is_public() -> ColumnElement[bool]:
    """What everybody may see: published, and its creator may show it and is not being deleted.

    The few creators who may not are a partial index of their own, probed once a row of the page.
    Those who are being deleted, hardly ever anybody, are read once for all rows.
    """
    banned = exists().where(
        CreatorStandingRow.creator_id == ShowRow.creator_id, CreatorStandingRow.allowed.is_(False)
    )
    fenced = func.array(select(FencedPersonRow.person_id).scalar_subquery())
    return and_(ShowRow.status == ShowStatus.PUBLISHED, ~banned, ShowRow.creator_id != all_(fenced))


def _editable_by(actor: Actor) -> ColumnElement[bool]:
    return ShowRow.id.is_not(None) if actor.is_admin else ShowRow.creator_id == actor.id


def _conditions(wanted: ShowFilter) -> Sequence[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.text is not None:
        found = spelt_like if wanted.typos_forgiven else mentions
        conditions.append(found(wanted.text))
    if wanted.city is not None:
        conditions.append(func.lower(ShowRow.city) == wanted.city.lower())
    if wanted.comedian_id is not None:
        conditions.append(_performed_by(ShowComedianRow.comedian_id == wanted.comedian_id))
    if wanted.starts_from is not None:
        conditions.append(ShowRow.starts_at >= wanted.starts_from)
    if wanted.starts_before is not None:
        conditions.append(ShowRow.starts_at < wanted.starts_before)
    if wanted.min_price_paise is not None:
        conditions.append(ShowRow.price_paise >= wanted.min_price_paise)
    if wanted.max_price_paise is not None:
        conditions.append(ShowRow.price_paise <= wanted.max_price_paise)
    return conditions


def _performed_by(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(ShowComedianRow.show_id == ShowRow.id, *conditions)


def _columns(details: ShowDetails) -> dict[str, Any]:
    return {
        "title": details.title,
        "description": details.description,
        "starts_at": details.starts_at,
        "duration_minutes": details.duration_minutes,
        "venue": details.venue,
        "city": details.city,
        "google_maps_link": details.google_maps_link,
        "price_paise": details.price_paise,
        "capacity": details.capacity,
        "poster_image_url": details.poster_image_url,
        "youtube_urls": list(details.youtube_urls),
        "instagram_urls": list(details.instagram_urls),
    }


def _show(row: ShowRow | Row[*tuple[Any, ...]]) -> Show:
    return Show(
        id=row.id,
        details=ShowDetails(
            title=row.title,
            description=row.description,
            starts_at=row.starts_at,
            duration_minutes=row.duration_minutes,
            venue=row.venue,
            city=row.city,
            google_maps_link=row.google_maps_link,
            price_paise=row.price_paise,
            capacity=row.capacity,
            poster_image_url=row.poster_image_url,
            youtube_urls=tuple(row.youtube_urls),
            instagram_urls=tuple(row.instagram_urls),
        ),
        status=row.status,
        creator_id=row.creator_id,
        platform_fee_basis_points=row.platform_fee_basis_points,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )

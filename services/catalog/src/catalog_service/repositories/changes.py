"""Every query about guarded changes."""

from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from catalog_service.domain.changes import ChangeKind, ChangeStatus, OwnFee, ShowChange, Wish
from catalog_service.domain.deletions import Obstacle
from catalog_service.domain.errors import ChangeInProgress
from catalog_service.domain.offers import Refusal
from catalog_service.domain.shows import Show, ShowDetails, ShowStatus
from catalog_service.models import ShowChangeRow, ShowRow

MAX_OBSTACLES = 20
BATCH = 500
_DETAILS = frozenset(each.name for each in fields(ShowDetails))


class ChangeRepository:
    """Guarded changes; at most one of a show is open, the database sees to that."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def open(self, show: Show, kind: ChangeKind, wish: Wish, *, actor_id: UUID) -> ShowChange:
        """Store a wish for a locked show, under a version that was never used before.

        Raises:
            ChangeInProgress: there is an open one.
        """
        used = select(func.max(ShowChangeRow.version)).where(ShowChangeRow.show_id == show.id)
        version = max(show.version, self._session.scalar(used) or 0) + 1
        row = self._session.scalars(
            insert(ShowChangeRow)
            .values(
                id=uuid7(),
                show_id=show.id,
                kind=kind,
                wish=_to_json(wish),
                version=version,
                status=ChangeStatus.OPEN,
                actor_id=actor_id,
            )
            .on_conflict_do_nothing(
                index_elements=[ShowChangeRow.show_id],
                index_where=text("status = 'OPEN'"),  # literally the index's condition
            )
            .returning(ShowChangeRow)
        ).one_or_none()
        if row is None:
            raise ChangeInProgress
        return _change(row)

    def find(self, change_id: UUID) -> ShowChange | None:
        """Return a change, None if its show is gone."""
        row = self._session.get(ShowChangeRow, change_id)
        return None if row is None else _change(row)

    def open_of(self, show_id: UUID) -> ShowChange | None:
        """Return the change of a show that is not decided yet."""
        row = self._session.scalars(
            select(ShowChangeRow).where(
                ShowChangeRow.show_id == show_id, ShowChangeRow.status == ChangeStatus.OPEN
            )
        ).one_or_none()
        return None if row is None else _change(row)

    def cancellation_of(self, show_id: UUID) -> ShowChange | None:
        """Return the change by which a show was cancelled."""
        row = self._session.scalars(
            select(ShowChangeRow).where(
                ShowChangeRow.show_id == show_id,
                ShowChangeRow.kind == ChangeKind.CANCEL,
                ShowChangeRow.status == ChangeStatus.APPLIED,
            )
        ).one_or_none()
        return None if row is None else _change(row)

    def obstacles_of(self, creator_id: UUID) -> list[Obstacle]:
        """Return some of a creator's shows that have a change that is not decided yet."""
        rows = self._session.execute(
            select(ShowRow.id, ShowRow.title, ShowChangeRow.kind)
            .join(ShowRow, ShowRow.id == ShowChangeRow.show_id)
            .where(ShowRow.creator_id == creator_id, ShowChangeRow.status == ChangeStatus.OPEN)
            .order_by(ShowRow.id)
            .limit(MAX_OBSTACLES)
        )
        return [Obstacle(*row) for row in rows]

    def of_show(self, show_id: UUID, *, before_version: int | None, limit: int) -> list[ShowChange]:
        """Return a show's changes, newest first."""
        query = select(ShowChangeRow).where(ShowChangeRow.show_id == show_id)
        if before_version is not None:
            query = query.where(ShowChangeRow.version < before_version)
        rows = self._session.scalars(query.order_by(ShowChangeRow.version.desc()).limit(limit))
        return [_change(row) for row in rows]

    def forget_actor(self, person_id: UUID) -> int:
        """Have nobody know any more that a person asked for some decided changes; return how many.

        One that is open stays as it is: booking is still to be told who asks for it.
        """
        some = (
            select(ShowChangeRow.id)
            .where(ShowChangeRow.actor_id == person_id, ShowChangeRow.status != ChangeStatus.OPEN)
            .order_by(ShowChangeRow.id)
            .limit(BATCH)
            .with_for_update()
        )
        changes = list(self._session.scalars(some))
        self._session.execute(
            update(ShowChangeRow).where(ShowChangeRow.id.in_(changes)).values(actor_id=None)
        )
        return len(changes)

    def close(self, change_id: UUID, refusal: Refusal | None) -> bool:
        """Record the outcome of an open change; false if it has one already."""
        closed = self._session.scalar(
            update(ShowChangeRow)
            .where(ShowChangeRow.id == change_id, ShowChangeRow.status == ChangeStatus.OPEN)
            .values(
                status=ChangeStatus.APPLIED if refusal is None else ChangeStatus.REFUSED,
                refusal_code=None if refusal is None else refusal.code,
                refusal_text=None if refusal is None else refusal.text,
                decided_at=func.now(),
            )
            .returning(ShowChangeRow.id)
        )
        return closed is not None


def _to_json(wish: Wish) -> dict[str, Any]:
    stored: dict[str, Any] = {name: _plain(value) for name, value in wish.details.items()}
    if wish.status is not None:
        stored["status"] = wish.status.value
    if wish.bill is not None:
        stored["bill"] = [str(comedian_id) for comedian_id in wish.bill]
    if wish.fee is not None:
        stored["platform_fee_basis_points"] = wish.fee.basis_points
    if wish.reason is not None:
        stored["reason"] = wish.reason
    if wish.unsold_only:
        stored["unsold_only"] = True
    return stored


def _from_json(stored: dict[str, Any]) -> Wish:
    status, bill = stored.get("status"), stored.get("bill")
    fee = "platform_fee_basis_points"
    return Wish(
        status=None if status is None else ShowStatus(status),
        details={name: _detail(name, value) for name, value in stored.items() if name in _DETAILS},
        bill=None if bill is None else tuple(map(UUID, bill)),
        fee=OwnFee(stored[fee]) if fee in stored else None,
        reason=stored.get("reason"),
        unsold_only=stored.get("unsold_only", False),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _detail(name: str, value: Any) -> Any:
    if name == "starts_at":
        return datetime.fromisoformat(value)
    return tuple(value) if isinstance(value, list) else value


def _change(row: ShowChangeRow) -> ShowChange:
    return ShowChange(
        id=row.id,
        show_id=row.show_id,
        kind=row.kind,
        wish=_from_json(row.wish),
        version=row.version,
        status=row.status,
        refusal_code=row.refusal_code,
        refusal_text=row.refusal_text,
        actor_id=row.actor_id,
        requested_at=row.requested_at,
        decided_at=row.decided_at,
    )

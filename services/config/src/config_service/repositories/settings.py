"""Every query about versions of settings."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, String, Text, case, cast, func, literal, select, union_all
from sqlalchemy.orm import Session

from config_service.domain.settings import FEES, SYSTEM, Key, Standing, State, V, Version
from config_service.models import AuthorRow, FeeScheduleVersionRow, SettingVersionRow

# Fees have a table of their own: every booking stores the number of one of its rows for ever.
_ALL = union_all(
    select(
        literal(FEES.name, String).label("key"),
        FeeScheduleVersionRow.version,
        func.jsonb_build_object(
            "platform_fee_basis_points",
            FeeScheduleVersionRow.platform_fee_basis_points,
            "slabs",
            FeeScheduleVersionRow.slabs,
            type_=SettingVersionRow.value.type,
        ).label("value"),
        FeeScheduleVersionRow.effective_from,
        FeeScheduleVersionRow.author,
        FeeScheduleVersionRow.reason,
        FeeScheduleVersionRow.created_at,
    ),
    select(
        SettingVersionRow.key,
        SettingVersionRow.version,
        SettingVersionRow.value,
        SettingVersionRow.effective_from,
        SettingVersionRow.author,
        SettingVersionRow.reason,
        SettingVersionRow.created_at,
    ),
)

_VALUE_LEFT_OUT: Key[None] = Key("", lambda _stored: None)


class SettingRepository:
    """The versions of all settings; Postgres' clock decides which is in force."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def standing(self, key: Key[V]) -> Standing[V]:
        """Return how a setting stands at this moment."""
        versions = _versions().subquery()
        rows = self._session.execute(
            select(versions)
            .where(
                versions.c.key == key.name,
                versions.c.state.in_([State.IN_FORCE.value, State.SCHEDULED.value]),
            )
            .order_by(versions.c.version)
        )
        alive = [_version(key, row) for row in rows]
        return Standing(
            key=key,
            in_force=next((one for one in alive if one.state is State.IN_FORCE), None),
            scheduled=tuple(one for one in alive if one.state is State.SCHEDULED),
        )

    def history(self, key: Key[V], *, before: int | None, limit: int) -> Sequence[Version[V]]:
        """Return versions of a setting, newest first; only those numbered below `before`."""
        versions = _versions().subquery()
        query = select(versions).where(versions.c.key == key.name)
        if before is not None:
            query = query.where(versions.c.version < before)
        rows = self._session.execute(query.order_by(versions.c.version.desc()).limit(limit))
        return [_version(key, row) for row in rows]

    def authored_by(self, person: UUID) -> Sequence[tuple[str, Version[None]]]:
        """Return all versions a person has set, by key and number, without their values."""
        versions = _versions().subquery()
        rows = self._session.execute(
            select(versions)
            .where(versions.c.known_author == str(person))
            .order_by(versions.c.key, versions.c.version)
        )
        return [(row.key, _version(_VALUE_LEFT_OUT, row)) for row in rows]

    def lock(self, key: Key[V]) -> Standing[V]:
        """Return how a setting stands; nobody else changes it until this transaction ends.

        (The service may not lock the tables themselves: that takes the right to change rows.)
        """
        lock_id = func.hashtextextended(f"setting:{key.name}", 0)
        self._session.execute(select(func.pg_advisory_xact_lock(lock_id)))
        return self.standing(key)  # a statement of its own: it sees what the one before left

    def now(self) -> datetime:
        """Return the time by which versions start, at this statement and not at the first one."""
        now: datetime = self._session.execute(select(_now())).scalar_one()
        return now

    def add(
        self,
        key: Key[V],
        value: V,
        *,
        number: int,
        author: str,
        reason: str,
        effective_from: datetime,
    ) -> None:
        """Append a version; call it with the setting locked and the next free number."""
        fields: dict[str, Any] = asdict(value)  # type: ignore[call-overload]  # V is a dataclass
        facts = {
            "version": number,
            "author": author,
            "reason": reason,
            "effective_from": effective_from,
        }
        if key.name == FEES.name:
            self._session.add(FeeScheduleVersionRow(**fields, **facts))
        else:
            self._session.add(SettingVersionRow(key=key.name, value=fields, **facts))
        self._session.flush()  # what is read next in this transaction includes it


def _versions() -> Select[Any]:
    """Select all versions with their state: a version gives way to every later one that starts."""
    version, later = _ALL.subquery("version"), _ALL.subquery("later")
    follows = (later.c.key == version.c.key) & (later.c.version > version.c.version)
    is_replaced = (
        select(1).where(follows, later.c.effective_from <= version.c.effective_from).exists()
    )
    is_past = select(1).where(follows, later.c.effective_from <= _now()).exists()
    return select(
        version,
        case((version.c.author == SYSTEM, SYSTEM), else_=cast(AuthorRow.user_id, Text)).label(
            "known_author"
        ),
        case(
            (is_replaced, State.REPLACED.value),
            (version.c.effective_from > _now(), State.SCHEDULED.value),
            (is_past, State.PAST.value),
            else_=State.IN_FORCE.value,
        ).label("state"),
    ).outerjoin(AuthorRow, AuthorRow.reference == version.c.author)


def _now() -> Any:
    return func.statement_timestamp()


def _version(key: Key[V], row: Row[Any]) -> Version[V]:
    return Version(
        number=row.version,
        value=key.read(row.value),
        state=State(row.state),
        effective_from=row.effective_from,
        author=row.known_author,
        reason=row.reason,
        created_at=row.created_at,
    )

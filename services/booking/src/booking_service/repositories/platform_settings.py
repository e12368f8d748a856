"""The settings received from the config service beside the fees, and the rules in use."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Protocol

from sqlalchemy import Interval, func, select, type_coerce
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking_service.domain.sale_rules import DEFAULT_RULES, PlatformSettings, SaleRules
from booking_service.models import PlatformSettingsRow
from booking_service.repositories.kept import Kept


class PlatformSettingsRepository:
    """Received versions; the newest is the last good one."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def newest(self) -> PlatformSettings | None:
        """Return the last good settings, None before the first were received."""
        row = self._session.scalars(
            select(PlatformSettingsRow).order_by(PlatformSettingsRow.version.desc()).limit(1)
        ).one_or_none()
        return None if row is None else PlatformSettings(row.version, row.document)

    def confirm(self, settings: PlatformSettings) -> None:
        """Store settings, or note that the config service still says the same."""
        self._session.execute(
            insert(PlatformSettingsRow)
            .values(version=settings.version, document=dict(settings.document))
            .on_conflict_do_update(
                index_elements=[PlatformSettingsRow.version], set_={"confirmed_at": func.now()}
            )
        )

    def age(self) -> timedelta | None:
        """Return how long ago the config service last confirmed the newest settings."""
        age = func.now() - PlatformSettingsRow.confirmed_at
        return self._session.scalar(
            select(type_coerce(age, Interval)).order_by(PlatformSettingsRow.version.desc()).limit(1)
        )


class _HasPlatformSettings(Protocol):
    platform_settings: PlatformSettingsRepository


class CurrentRules:
    """The newest rules, at most a second behind the database; never a call elsewhere."""

    def __init__(self, read: Callable[[], AbstractContextManager[_HasPlatformSettings]]) -> None:
        def look() -> SaleRules:
            with read() as tx:
                newest = tx.platform_settings.newest()
            return DEFAULT_RULES if newest is None else newest.sale_rules

        self._kept = Kept(look)

    def current(self) -> SaleRules:
        """Return the rules to sell by; the default ones before any were received."""
        return self._kept.current() or DEFAULT_RULES

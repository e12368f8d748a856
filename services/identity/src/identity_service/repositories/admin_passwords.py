"""Every query about admins' passwords and the attempts to give them."""

import math
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from identity_service.domain.second_factor import FORGOTTEN_AFTER, delay_after
from identity_service.models import AdminPasswordRow, PasswordAttemptsRow


class AdminPasswordRepository:
    """Hashes of admins' passwords, and a count of wrong ones that survives restarts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def hash_of(self, user_id: UUID) -> str | None:
        """Return what is stored of an admin's password, None if there is none."""
        return self._session.scalar(
            select(AdminPasswordRow.password_hash).where(AdminPasswordRow.user_id == user_id)
        )

    def add(self, user_id: UUID, password_hash: str) -> bool:
        """Store the first password; return whether there was none."""
        added = self._session.execute(
            insert(AdminPasswordRow)
            .values(user_id=user_id, password_hash=password_hash)
            .on_conflict_do_nothing()
            .returning(AdminPasswordRow.user_id)
        )
        return added.one_or_none() is not None

    def replace(self, user_id: UUID, *, known: str, password_hash: str) -> bool:
        """Store another password; return whether the one before was still the known one."""
        replaced = self._session.execute(
            update(AdminPasswordRow)
            .where(AdminPasswordRow.user_id == user_id, AdminPasswordRow.password_hash == known)
            .values(password_hash=password_hash)
            .returning(AdminPasswordRow.user_id)
        )
        return replaced.one_or_none() is not None

    def remove(self, user_id: UUID, *, attempts: str) -> bool:
        """Remove a password and its count of wrong ones; return whether there was one."""
        self._session.execute(
            delete(PasswordAttemptsRow).where(PasswordAttemptsRow.key == attempts)
        )
        removed = self._session.execute(
            delete(AdminPasswordRow)
            .where(AdminPasswordRow.user_id == user_id)
            .returning(AdminPasswordRow.user_id)
        )
        return removed.one_or_none() is not None

    def count_attempt(self, keys: Sequence[str]) -> int:
        """Count an attempt under all keys; return 0, or the seconds to wait if it may not be made.

        It is counted before the password is looked at, so that attempts at the same moment count
        one after the other. A right one is forgiven afterwards.
        """
        self._session.execute(
            insert(PasswordAttemptsRow)
            .values([{"key": key} for key in keys])
            .on_conflict_do_nothing()
        )
        now = func.clock_timestamp()  # that of this statement: it may have waited for the lock
        found = self._session.execute(
            select(
                PasswordAttemptsRow.key,
                case(
                    (PasswordAttemptsRow.last_at < now - FORGOTTEN_AFTER, literal(0)),
                    else_=PasswordAttemptsRow.failures,
                ),
                PasswordAttemptsRow.blocked_until,
            )
            .where(PasswordAttemptsRow.key.in_(keys))
            .order_by(PasswordAttemptsRow.key)
            .with_for_update()
        ).all()
        wait = self._seconds_until([until for _key, _failures, until in found if until])
        if wait == 0:
            for key, failures, _until in found:
                self._count(key, failures + 1)
        return wait

    def forgive(self, account_key: str, address_key: str) -> None:
        """Forget the account's failures, and this attempt of the address: the password was right.

        What else came from the address stays counted: who knows one password could else guess at
        another for ever.
        """
        self._session.execute(
            delete(PasswordAttemptsRow).where(PasswordAttemptsRow.key == account_key)
        )
        self._session.execute(
            update(PasswordAttemptsRow)
            .where(PasswordAttemptsRow.key == address_key)
            .values(failures=func.greatest(PasswordAttemptsRow.failures - 1, 0), blocked_until=None)
        )

    def purge(self) -> int:
        """Remove the counts that are forgotten by now and return how many they were."""
        gone = self._session.execute(
            delete(PasswordAttemptsRow)
            .where(PasswordAttemptsRow.last_at < func.now() - FORGOTTEN_AFTER)
            .returning(PasswordAttemptsRow.key)
        )
        return len(gone.all())

    def _seconds_until(self, instants: Sequence[datetime]) -> int:
        if not instants:
            return 0
        now: datetime = self._session.execute(select(func.clock_timestamp())).scalar_one()
        return max(0, math.ceil((max(instants) - now).total_seconds()))

    def _count(self, key: str, failures: int) -> None:
        now, delay = func.clock_timestamp(), delay_after(failures)
        self._session.execute(
            update(PasswordAttemptsRow)
            .where(PasswordAttemptsRow.key == key)
            .values(failures=failures, last_at=now, blocked_until=now + delay if delay else None)
        )

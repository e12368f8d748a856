"""Every query about admins' passwords and the attempts to give them."""

import math
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from identity_service.domain.second_factor import FORGOTTEN_AFTER, AttemptKeys, delay_after
from identity_service.models import AdminPasswordRow, PasswordAttemptsRow

_REMEMBERED = case(
    (PasswordAttemptsRow.last_at < func.clock_timestamp() - FORGOTTEN_AFTER, literal(0)),
    else_=PasswordAttemptsRow.failures,
)


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

    def count_attempt(self, keys: AttemptKeys) -> int:
        """Count an attempt under all keys; return 0, or the seconds to wait if it may not be made.

        It is counted before the password is looked at, so that attempts at the same moment count
        one after the other. A right one is forgiven afterwards. The count of an address is the sum
        of its accounts' counts there, each of which is forgotten on its own.
        """
        self._session.execute(
            insert(PasswordAttemptsRow)
            .values([{"key": key} for key in keys])
            .on_conflict_do_nothing()
        )
        self._lock(keys)
        found = self._session.execute(
            select(PasswordAttemptsRow.key, _REMEMBERED, PasswordAttemptsRow.blocked_until).where(
                PasswordAttemptsRow.key.in_(keys)
            )
        ).all()
        wait = self._seconds_until([until for _key, _failures, until in found if until])
        if wait == 0:
            counts = {key: failures for key, failures, _until in found}
            counts[keys.address] = self._failures_at(keys)
            for key, failures in counts.items():
                self._count(key, failures + 1)
        return wait

    def forgive(self, keys: AttemptKeys) -> None:
        """Forget the account's failures, of those at this address its own: the password was right.

        What others got wrong from the address stays counted: who knows one password could else
        guess at another for ever.
        """
        self._lock(keys)
        self._session.execute(
            delete(PasswordAttemptsRow).where(
                PasswordAttemptsRow.key.in_((keys.account, keys.account_at_address))
            )
        )
        self._session.execute(
            update(PasswordAttemptsRow)
            .where(PasswordAttemptsRow.key == keys.address)
            .values(failures=self._failures_at(keys), blocked_until=None)
        )

    def purge(self) -> int:
        """Remove the counts that are forgotten by now and return how many they were."""
        gone = self._session.execute(
            delete(PasswordAttemptsRow)
            .where(PasswordAttemptsRow.last_at < func.now() - FORGOTTEN_AFTER)
            .returning(PasswordAttemptsRow.key)
        )
        return len(gone.all())

    def _lock(self, keys: AttemptKeys) -> None:
        """Wait for whoever counts under one of the keys; statements after this see what they did.

        All counts of accounts at an address are changed by holders of the address's row only.
        """
        self._session.execute(
            select(PasswordAttemptsRow.key)
            .where(PasswordAttemptsRow.key.in_(keys))
            .order_by(PasswordAttemptsRow.key)
            .with_for_update()
        ).all()

    def _failures_at(self, keys: AttemptKeys) -> int:
        of_all_accounts = func.starts_with(PasswordAttemptsRow.key, keys.accounts_at_address)
        counts = self._session.scalars(select(_REMEMBERED).where(of_all_accounts))
        return sum(counts)

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

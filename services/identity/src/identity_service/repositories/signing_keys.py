"""Every query about signing keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from identity_service.models import SigningKeyRow


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is stored: the private half encrypted, the public one as a JWK."""

    kid: str
    encrypted_private_key: bytes
    public_key: dict[str, Any]
    active: bool


class SigningKeyRepository:
    """The keys that are published, oldest first; the newest active one signs.

    Times are those of the statement, not of the transaction's beginning: whoever had to wait for
    the lock would else not see as active what was added meanwhile.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def published(self) -> Sequence[StoredKey]:
        """Return the keys whose signatures verifiers shall accept, now or soon."""
        found = self._session.execute(
            select(
                SigningKeyRow.kid,
                SigningKeyRow.encrypted_private_key,
                SigningKeyRow.public_key,
                SigningKeyRow.active_from <= func.clock_timestamp(),
            )
            .where(
                or_(
                    SigningKeyRow.published_until.is_(None),
                    SigningKeyRow.published_until > func.clock_timestamp(),
                )
            )
            .order_by(SigningKeyRow.active_from, SigningKeyRow.kid)
        )
        return [StoredKey(*row) for row in found]

    def lock(self) -> None:
        """Let nobody else add a key until the transaction ends."""
        self._session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended('identity.signing_key', 0))")
        )

    def add(
        self,
        kid: str,
        encrypted_private_key: bytes,
        public_key: dict[str, Any],
        *,
        active_in: timedelta = timedelta(0),
    ) -> datetime:
        """Add a key and return from when on it signs; it is published at once."""
        return self._session.execute(
            insert(SigningKeyRow)
            .values(
                kid=kid,
                encrypted_private_key=encrypted_private_key,
                public_key=public_key,
                active_from=func.clock_timestamp() + active_in,
            )
            .returning(SigningKeyRow.active_from)
        ).scalar_one()

    def retire_others(self, kid: str, *, after: datetime) -> int:
        """Let all other keys end at a moment, if none is set yet; return how many they are."""
        retired = self._session.execute(
            update(SigningKeyRow)
            .where(SigningKeyRow.kid != kid, SigningKeyRow.published_until.is_(None))
            .values(published_until=after)
            .returning(SigningKeyRow.kid)
        )
        return len(retired.all())

    def encrypted(self) -> dict[str, bytes]:
        """Return the private half of every key, published or not, by the key's id."""
        found = self._session.execute(
            select(SigningKeyRow.kid, SigningKeyRow.encrypted_private_key)
        )
        return {row.kid: row.encrypted_private_key for row in found}

    def replace_encrypted(self, kid: str, encrypted_private_key: bytes) -> None:
        """Store the private half of a key in another encryption."""
        self._session.execute(
            update(SigningKeyRow)
            .where(SigningKeyRow.kid == kid)
            .values(encrypted_private_key=encrypted_private_key)
        )

    def purge(self) -> int:
        """Remove the keys that are no longer published and return how many they were."""
        gone = self._session.execute(
            delete(SigningKeyRow)
            .where(SigningKeyRow.published_until <= func.now())
            .returning(SigningKeyRow.kid)
        )
        return len(gone.all())

"""Every query about signing keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select, text
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
    """The keys that are published, oldest first; the newest active one signs."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def published(self) -> Sequence[StoredKey]:
        """Return the keys whose signatures verifiers shall accept, now or soon."""
        found = self._session.execute(
            select(
                SigningKeyRow.kid,
                SigningKeyRow.encrypted_private_key,
                SigningKeyRow.public_key,
                SigningKeyRow.active_from <= func.now(),
            )
            .where(
                or_(
                    SigningKeyRow.published_until.is_(None),
                    SigningKeyRow.published_until > func.now(),
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

    def add(self, kid: str, encrypted_private_key: bytes, public_key: dict[str, Any]) -> None:
        """Add a key that signs from now on."""
        self._session.add(
            SigningKeyRow(
                kid=kid, encrypted_private_key=encrypted_private_key, public_key=public_key
            )
        )

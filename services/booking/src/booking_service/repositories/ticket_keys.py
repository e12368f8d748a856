"""Every query about the keys that sign tickets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from booking_service.models import TicketKeyRow


@dataclass(frozen=True, slots=True)
class StoredTicketKey:
    """A key as it is stored: the private half encrypted."""

    kid: str
    public_key: bytes
    encrypted_private_key: bytes
    active_from: datetime  # the bookings made from then on have it


class TicketKeyRepository:
    """Keys are never removed: the tickets of a booking keep the key they were first signed with."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def valid(self) -> Sequence[StoredTicketKey]:
        """Return the keys that are not withdrawn, oldest first."""
        row = TicketKeyRow
        found = self._session.execute(
            select(row.kid, row.public_key, row.encrypted_private_key, row.active_from)
            .where(row.withdrawn_at.is_(None))
            .order_by(row.active_from, row.kid)
        )
        return [StoredTicketKey(*stored) for stored in found]

    def lock(self) -> None:
        """Let nobody else add or withdraw a key until the transaction ends."""
        self._session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended('booking.ticket_key', 0))")
        )

    def add(
        self,
        kid: str,
        public_key: bytes,
        encrypted_private_key: bytes,
        *,
        active_in: timedelta = timedelta(0),
    ) -> StoredTicketKey:
        """Add a key; it is published at once."""
        active_from = self._session.execute(
            insert(TicketKeyRow)
            .values(
                kid=kid,
                public_key=public_key,
                encrypted_private_key=encrypted_private_key,
                active_from=func.clock_timestamp() + active_in,
            )
            .returning(TicketKeyRow.active_from)
        ).scalar_one()
        return StoredTicketKey(kid, public_key, encrypted_private_key, active_from)

    def withdraw(self) -> int:
        """Void every key and all that it signed; return how many keys they are."""
        withdrawn = self._session.execute(
            update(TicketKeyRow)
            .where(TicketKeyRow.withdrawn_at.is_(None))
            .values(withdrawn_at=func.clock_timestamp())
            .returning(TicketKeyRow.kid)
        )
        return len(withdrawn.all())

    def replace_encrypted(self, kid: str, encrypted_private_key: bytes) -> None:
        """Store the private half of a key in another encryption."""
        self._session.execute(
            update(TicketKeyRow)
            .where(TicketKeyRow.kid == kid)
            .values(encrypted_private_key=encrypted_private_key)
        )

"""Every query about who was let in."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking_service.domain.ticket_codes import Seat
from booking_service.domain.tickets import Admission
from booking_service.models import AdmissionRow


class AdmissionRepository:
    """Seats that were let in; each once, and never undone."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of_booking(self, booking_id: UUID) -> Mapping[int, datetime]:
        """Return when the seats of a booking were let in, those that were."""
        row = AdmissionRow
        found = self._session.execute(
            select(row.seat, row.admitted_at).where(row.booking_id == booking_id).order_by(row.seat)
        )
        return dict(found.all())

    def find(self, seat: Seat) -> Admission | None:
        """Return the admission of a seat, None if it was not let in yet."""
        row = self._session.get(AdmissionRow, (seat.booking_id, seat.number))
        return None if row is None else Admission(row.admitted_at, row.nonce, row.by_admin)

    def add(self, seat: Seat, admission: Admission) -> None:
        """Write down that a seat is let in. Call it with the booking in hand."""
        self._session.add(
            AdmissionRow(
                booking_id=seat.booking_id,
                seat=seat.number,
                nonce=admission.nonce,
                by_admin=admission.by_admin,
                admitted_at=admission.admitted_at,
            )
        )

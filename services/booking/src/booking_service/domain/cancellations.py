"""Shows that do not take place (docs/rules.md#refunds)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from uuid import UUID

REASON_OF_NOBODY = "The show does not take place."  # said for a person who is gone


class CancellationState(Enum):
    """Whether bookings of the show are still to be cancelled."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"


@dataclass(frozen=True, slots=True)
class CancellationOrder:
    """That a show is to be cancelled, as catalog says it."""

    show_id: UUID
    version: int
    reason: str
    actor_id: UUID | None  # None: somebody whose account is deleted

    @property
    def anonymous(self) -> "CancellationOrder":
        """The same without what a person who is gone has left in it."""
        return replace(self, reason=REASON_OF_NOBODY, actor_id=None)


@dataclass(frozen=True, slots=True)
class Cancellation:
    """How far the cancellation of a show is."""

    reason: str
    total: int  # bookings that held or had seats when the sale was stopped
    cancelled: int  # of them, also by their buyers
    refunded: int  # refunds that arrived
    failed: int  # refunds that did not
    started_at: datetime
    completed_at: datetime | None

    @property
    def state(self) -> CancellationState:
        """Whether bookings are still to be cancelled; their refunds may take longer."""
        if self.completed_at is None:
            return CancellationState.RUNNING
        return CancellationState.COMPLETED

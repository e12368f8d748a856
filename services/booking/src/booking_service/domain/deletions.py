"""The deletion of a person's account, as far as bookings are concerned (docs/rules.md#deletion)."""

from enum import StrEnum


class DeletionState(StrEnum):
    """How far a deletion is here."""

    FENCED = "FENCED"  # decided elsewhere: nothing of the person is sold or booked meanwhile
    LIFTED = "LIFTED"  # it came to nothing
    PURGED = "PURGED"  # the person is gone

"""Durable work on cancelled shows: what was begun is finished, whatever is killed in between."""

from uuid import UUID

from booking_service.repositories.transaction import Begin
from booking_service.usecases.cancel_bookings_of_show import cancel_bookings_of_show
from service_kit.durable import step


class CancellationWorkflows:
    """Gives buyers of cancelled shows their money back."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    def cancel_bookings(self, show_id: str) -> None:
        """Cancel every booking of a show; one step, as it goes on where it was interrupted."""
        step("cancel_bookings", self._cancel, show_id)

    def _cancel(self, show_id: str) -> None:
        cancel_bookings_of_show(self._begin, show_id=UUID(show_id))

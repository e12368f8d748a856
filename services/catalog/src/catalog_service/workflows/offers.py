"""Durable work on offers: what was begun is finished, whatever is killed in between."""

from uuid import UUID

from catalog_service.clients.booking import OfferClient
from catalog_service.domain.offers import Refusal
from catalog_service.repositories.transaction import Begin
from catalog_service.usecases.ask_booking import ask_booking
from catalog_service.usecases.mirror_offer import mirror_offer
from catalog_service.usecases.settle_change import settle_change
from service_kit.durable import step

VERSION = "1"  # raise it when the steps of a workflow change

StoredRefusal = tuple[str, str, int]  # code, text, held version


class OfferWorkflows:
    """Keeps booking's offers in step with the shows."""

    def __init__(self, begin: Begin, read: Begin, booking: OfferClient) -> None:
        self._begin = begin
        self._read = read
        self._booking = booking

    def decide_change(self, change_id: str) -> None:
        """Have booking accept or refuse a change, then apply or drop it."""
        refusal = step("ask_booking", self._ask, change_id)
        step("settle_change", self._settle, change_id, refusal)

    def mirror_offer(self, show_id: str) -> None:
        """Tell booking what a show is like now."""
        step("mirror_offer", self._mirror, show_id)

    def _ask(self, change_id: str) -> StoredRefusal | None:
        refusal = ask_booking(self._read, self._booking, change_id=UUID(change_id))
        return None if refusal is None else (refusal.code, refusal.text, refusal.held_version)

    def _settle(self, change_id: str, refusal: StoredRefusal | None) -> None:
        settle_change(
            self._begin,
            change_id=UUID(change_id),
            refusal=None if refusal is None else Refusal(*refusal),
        )

    def _mirror(self, show_id: str) -> None:
        mirror_offer(self._read, self._booking, show_id=UUID(show_id))

"""A buyer's cancellation: seats and money go back, once."""

import requests

from chaos.buyer import Buyer
from chaos.cases import REFUNDED
from chaos.people import House
from chaos.sales import UNSETTLED, Sale, insist, not_the_same, unlike

_QUANTITY = 2
_KEY = "the-one-cancellation"


class Return(Sale):
    """A paid booking, given up by a buyer who repeats what was not answered."""

    def __init__(self, house: House, name: str) -> None:
        super().__init__(house, name)
        self._booking = house.buy(self._fan.visitor, house.paid, _QUANTITY)
        self._fan.wait_until_settled()
        self._answer: requests.Response | None = None

    def remember(self) -> None:
        """Remember how many seats there are."""
        [self._before] = self._fan.seats([self._house.paid]).values()

    def ask(self) -> None:
        """Give the booking up.

        Raises:
            NeverTrue: nobody answered.
        """
        self._answer = insist(self._cancel)

    def state(self) -> str:
        """Return the booking's state, and once all the money is back that it is refunded."""
        for booked in self._fan.bookings():
            if booked.status == "CANCELLED":
                return REFUNDED if booked.settled else UNSETTLED
        return ""

    def objections(self, buyer: Buyer) -> list[str]:
        """Return what is wrong now that it has ended."""
        available, locked, sold = self._before
        after = (available + _QUANTITY, locked, sold - _QUANTITY)
        [seats] = self._fan.seats([self._house.paid]).values()
        found = []
        for booked in self._fan.made():
            # More than a day before the start: all of the tickets, nothing of the fee.
            found += unlike("owed back", booked.owed, [booked.ticket_paise])
        return [
            *found,
            *unlike("seats available, locked, sold", seats, after),
            *not_the_same(self._answer, self._cancel()),
            *self._fan.objections(buyer),
        ]

    def _cancel(self) -> requests.Response:
        path = f"/api/v1/bookings/{self._booking}/cancel"
        return self._fan.visitor.post(path, {}, headers={"Idempotency-Key": _KEY})

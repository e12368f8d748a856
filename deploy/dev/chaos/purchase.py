"""Somebody's purchase: the booking, its payment, and one answer however often it is asked for."""

import requests

from chaos.buyer import Buyer
from chaos.cases import CONFIRMED
from chaos.people import House
from chaos.sales import UNSETTLED, Sale, insist, not_the_same, unlike

_QUANTITY = 2
_KEY = "the-one-purchase"


class Purchase(Sale):
    """Tickets with a price, bought by somebody who repeats what was not answered."""

    def __init__(self, house: House, name: str) -> None:
        super().__init__(house, name)
        self._answer: requests.Response | None = None

    def remember(self) -> None:
        """Remember how many seats there are."""
        [self._before] = self._fan.seats([self._house.paid]).values()

    def ask(self) -> None:
        """Book, and pay at the checkout.

        Raises:
            NeverTrue: nobody answered.
        """
        self._answer = insist(self._order)
        if self._answer.ok:
            self._house.provider.pay(self._answer.json()["booking"]["payment"]["orderId"])

    def state(self) -> str:
        """Return the booking's state; of a confirmed one only once everything about it is done."""
        for booked in self._fan.bookings():
            if booked.status == CONFIRMED and not booked.settled:
                return UNSETTLED
            return booked.status
        return ""

    def objections(self, buyer: Buyer) -> list[str]:
        """Return what is wrong now that it has ended."""
        available, locked, sold = self._before
        after = (available - _QUANTITY, locked, sold + _QUANTITY)
        [seats] = self._fan.seats([self._house.paid]).values()
        made = [(booked.status, booked.quantity, booked.owed) for booked in self._fan.made()]
        return [
            *unlike("bookings made", made, [(CONFIRMED, _QUANTITY, [])]),
            *unlike("seats available, locked, sold", seats, after),
            *not_the_same(self._answer, self._order()),
            *self._fan.objections(buyer),
        ]

    def _order(self) -> requests.Response:
        return self._fan.order(self._house.paid, _QUANTITY, _KEY)

"""Shows that are called off when they are sold: every buyer gets everything back, once."""

from chaos.buyer import Buyer
from chaos.cases import COMPLETED
from chaos.people import House, expect, publish
from chaos.sales import UNSETTLED, Sale, insist, unlike

_PRICE = 499
_PAID = (2, 1)  # tickets of each booking that is paid
_HELD = 1  # of one that is not paid yet
_FREE = 2  # of one of the show that costs nothing


class CalledOff(Sale):
    """Two shows, as tickets of one have one price: one of them is free."""

    def __init__(self, house: House, name: str) -> None:
        super().__init__(house, name)
        self._paid, self._free = (
            publish(house.organizer, f"{name} at {price}", price=price) for price in (_PRICE, 0)
        )
        for quantity in _PAID:
            house.buy(self._fan.visitor, self._paid, quantity)
        house.buy(self._fan.visitor, self._free, _FREE)
        expect(201, self._fan.order(self._paid, _HELD, "held"))
        self._fan.wait_until_settled()

    @property
    def _shows(self) -> list[str]:
        return [self._paid, self._free]

    def remember(self) -> None:
        """All is known: the shows are new."""

    def ask(self) -> None:
        """Call both shows off.

        Raises:
            NeverTrue: nobody answered.
        """
        for show_id in self._shows:
            path, wish = f"/api/v1/shows/{show_id}/cancel", {"reason": "The comedian is ill."}
            insist(lambda path=path, wish=wish: self._house.organizer.post(path, wish))  # type: ignore[misc]

    def state(self) -> str:
        """Return how far it is; completed is it only when all the money is back."""
        made = self._fan.bookings()
        if not made or any(booked.status == "CONFIRMED" for booked in made):
            return ""
        over = all(booked.settled and booked.status != "PENDING" for booked in made)
        return COMPLETED if over and self._fan.called_off(self._shows) else UNSETTLED

    def objections(self, buyer: Buyer) -> list[str]:
        """Return what is wrong now that it has ended."""
        made = self._fan.made()
        statuses = sorted(booked.status for booked in made)
        found = unlike("bookings", statuses, [*["CANCELLED"] * (len(_PAID) + 1), "FAILED"])
        for booked in made:
            whole = booked.status == "CANCELLED" and booked.price_paise
            found += unlike("owed back", booked.owed, [booked.price_paise] if whole else [])
        for show_id, seats in self._fan.seats(self._shows).items():
            found += unlike(f"seats taken of show {show_id}", seats[1:], (0, 0))
        return [*found, *self._progress(), *self._fan.objections(buyer)]

    def _progress(self) -> list[str]:
        """Return what is wrong with what the creator is shown of it."""
        paid, held = len(_PAID), 1
        expected = {self._paid: (paid + held, paid), self._free: (1, 0)}
        found = []
        for show_id, (total, refunded) in expected.items():
            path = f"/api/v1/shows/{show_id}"
            show = expect(200, self._house.organizer.get(path))["show"]
            told = expect(200, self._house.organizer.get(f"{path}/cancellation"))["cancellation"]
            seen = [told[name] for name in ("state", "total", "cancelled", "refunded", "failed")]
            found += unlike("the show", show["status"], "CANCELLED")
            found += unlike("progress", seen, [COMPLETED, total, total, refunded, 0])
        return found

"""What somebody has booked, as the database and the provider of payments have it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import NamedTuple

import psycopg
import requests

from chaos.auditor import Auditor, broken_invariants
from chaos.buyer import Buyer
from chaos.people import House
from chaos.stage import wait_until
from devstack.visitor import Visitor

UNSETTLED = "UNSETTLED"  # decided, but not all that follows from it has happened

_INSIST_SECONDS = 60.0
_SETTLE_SECONDS = 60.0
_OF_A_CAPTURE = 3  # webhooks: authorized, captured, order paid
_OF_A_REFUND = 2  # created, processed

_BOOKED = """
    SELECT b.id::text, b.show_id::text, b.status::text, b.quantity,
        b.ticket_total_paise, b.convenience_fee_paise,
        ARRAY(SELECT ticket_paise + convenience_fee_paise FROM booking.refund
              WHERE booking_id = b.id) AS owed,
        (SELECT count(*) FROM booking.refund
         WHERE booking_id = b.id AND status <> 'DONE') AS unfinished,
        (SELECT count(*) FROM booking.payment_news JOIN booking.payment_order USING (order_id)
         WHERE booking_id = b.id AND handled_at IS NOT NULL) AS handled,
        (SELECT count(*) FROM booking.notice
         WHERE booking_id = b.id AND done_at IS NOT NULL) AS told
    FROM booking.booking AS b WHERE b.user_id = %s ORDER BY b.id
"""
_SEATS = """
    SELECT show_id::text, available, locked, sold FROM booking.ticket_inventory
    WHERE show_id = ANY(%s::uuid[])
"""
_RUNNING = """
    SELECT count(*) FROM unnest(%s::uuid[]) AS wanted (show_id)
    LEFT JOIN booking.show_cancellation AS c USING (show_id)
    WHERE c.completed_at IS NULL
"""

Seats = Mapping[str, tuple[int, int, int]]  # available, locked and sold, by show


class Booked(NamedTuple):
    """A booking, and what has come of it so far."""

    id: str
    show_id: str
    status: str
    quantity: int
    ticket_paise: int
    fee_paise: int
    owed: Sequence[int]  # amounts that go back
    unfinished: int  # of them
    handled: int  # webhooks about its order
    told: int  # mails about it

    @property
    def price_paise(self) -> int:
        """What the buyer pays."""
        return self.ticket_paise + self.fee_paise

    @property
    def settled(self) -> bool:
        """Whether all that follows from its state has happened: news, refunds and mails.

        Every webhook is waited for, not only the first that says all: things go wrong at each.
        """
        if self.status in ("PENDING", "FAILED"):
            return True
        captures = 1 if self.price_paise else 0
        webhooks = _OF_A_CAPTURE * captures + _OF_A_REFUND * len(self.owed)
        mails = 1 if self.status == "CONFIRMED" else 2 + len(self.owed)
        return not self.unfinished and self.handled >= webhooks and self.told >= mails


class Fan:
    """Somebody who books, watched from outside."""

    def __init__(self, house: House, name: str) -> None:
        self.house = house
        self.visitor = Visitor(house.stage.stack.url)
        self.id: str = self.visitor.sign_in(f"{name.lower()}@chaos.example")["id"]
        self._auditor = Auditor(house.stage.stack.db_url("auditor"))

    def close(self) -> None:
        """Go home."""
        self.visitor.close()
        self._auditor.close()

    def order(self, show_id: str, quantity: int, key: str) -> requests.Response:
        """Ask for tickets."""
        wish = {"showId": show_id, "quantity": quantity}
        return self.visitor.post("/api/v1/bookings", wish, headers={"Idempotency-Key": key})

    def bookings(self) -> list[Booked]:
        """Return everything the fan has booked, oldest first; nothing if nobody can be asked."""
        with suppress(psycopg.OperationalError), self._auditor.connection() as database:
            return [Booked(*row) for row in database.execute(_BOOKED, (self.id,))]
        return []

    def made(self) -> list[Booked]:
        """Return everything the fan has booked, oldest first; there is something.

        Raises:
            NeverTrue: there is not, or nobody can be asked.
        """
        wait_until(lambda: bool(self.bookings()), "something is booked")
        return self.bookings()

    def wait_until_settled(self) -> None:
        """Wait until nothing is left to be done about what was booked so far.

        Raises:
            NeverTrue: something always is.
        """
        wait_until(
            lambda: bool(made := self.bookings()) and all(booked.settled for booked in made),
            "all that was booked is settled",
            seconds=_SETTLE_SECONDS,
        )
        self._auditor.close()  # the database may have died before anybody is asked again

    def seats(self, show_ids: Iterable[str]) -> Seats:
        """Return how many seats of shows are available, locked and sold."""
        with self._auditor.connection() as database:
            rows = database.execute(_SEATS, (list(show_ids),)).fetchall()
        return {show_id: (available, locked, sold) for show_id, available, locked, sold in rows}

    def called_off(self, show_ids: Iterable[str]) -> bool:
        """Tell whether the cancellation of each of these shows says that it is completed."""
        with suppress(psycopg.OperationalError), self._auditor.connection() as database:
            [(left,)] = database.execute(_RUNNING, (list(show_ids),))
            return not left
        return False

    def let_buy(self, buyer: Buyer) -> None:
        """Let somebody else buy as well once something went wrong.

        Not before: both sell by the same commits, and it would be chance whose is struck.
        """
        if self.house.stage.commits.struck.is_set():
            buyer.begin()

    def objections(self, buyer: Buyer) -> list[str]:
        """Return what is wrong with anything that was sold: to the fan, to a buyer, to anybody."""
        provider = self.house.provider
        with self._auditor.connection() as database:
            found = buyer.objections(database, "") + broken_invariants(database)
        for booked in self.made():
            paid = [] if booked.status in ("PENDING", "FAILED") else [booked.price_paise]
            captured, refunded = provider.captured(booked.id), provider.refunded(booked.id)
            found += _wrong_amounts(booked, "captured", captured, paid)
            found += _wrong_amounts(booked, "refunded", refunded, booked.owed)
        return found


class Sale:
    """What a fan is about to do; what all kinds of it have in common."""

    def __init__(self, house: House, name: str) -> None:
        self._house = house
        self._fan = Fan(house, name)

    def close(self) -> None:
        """Send the buyer home."""
        self._fan.close()

    def meanwhile(self, buyer: Buyer) -> None:
        """Have somebody else buy as well from now on, if something went wrong."""
        self._fan.let_buy(buyer)


def insist(ask: Callable[[], requests.Response]) -> requests.Response:
    """Ask for the same again and again, until an answer says what came of it.

    Raises:
        NeverTrue: none did.
    """
    answers: list[requests.Response] = []

    def answered() -> bool:
        with suppress(requests.RequestException):
            answer = ask()
            if answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR and not _in_flight(answer):
                answers.append(answer)
        return bool(answers)

    wait_until(answered, "a request is answered", seconds=_INSIST_SECONDS)
    return answers[0]


def not_the_same(first: requests.Response | None, again: requests.Response) -> list[str]:
    """Return what is wrong with the answer to a request that was answered before."""
    if first is None:
        return ["it was never answered"]
    if (first.status_code, first.json()) == (again.status_code, again.json()):
        return []
    return [
        f"answered as {first.status_code} {first.text[:300]},"
        f" later as {again.status_code} {again.text[:300]}"
    ]


def unlike(what: str, found: object, expected: object) -> list[str]:
    """Return an objection if something is not as expected."""
    return [] if found == expected else [f"{what}: {found}, not {expected}"]


def _wrong_amounts(
    booked: Booked, what: str, amounts: Iterable[int], expected: Iterable[int]
) -> list[str]:
    amounts = [amount for amount in amounts if amount]
    expected = [amount for amount in expected if amount]
    return unlike(f"{what} for booking {booked.id}", sorted(amounts), sorted(expected))


def _in_flight(answer: requests.Response) -> bool:
    """Tell whether the first request with this key has not ended yet."""
    conflict = answer.status_code == HTTPStatus.CONFLICT
    return conflict and answer.json().get("code") == "IN_FLIGHT"

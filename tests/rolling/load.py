"""People who use the platform all the time, and what becomes of each of their requests."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import requests

from devstack.visitor import Visitor

BOOKINGS_KEPT = 5  # of each buyer, of tickets that one person may have; the others are cancelled
ADMIN_PASSWORD = "eleven early elks"


class Failed(Exception):
    """An answer is not what it should be."""


class Load:
    """Knows which steps people have taken, and what failed. Thread-safe."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.failures: list[str] = []
        self.published: list[str] = []
        self._answered = set[str]()
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    @contextmanager
    def running(self, *people: Callable[["Load"], None]) -> Iterator[None]:
        """Have these people at it inside the block."""
        threads = [threading.Thread(target=person, args=(self,)) for person in people]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join()

    @property
    def answered(self) -> set[str]:
        """The steps that were answered as they should be, since `forget_answers`."""
        with self._lock:
            return self._answered.copy()

    def forget_answers(self) -> None:
        """Count anew which steps are answered."""
        with self._lock:
            self._answered.clear()

    def repeat(self, *steps: Callable[[], None], pause: float = 0.25) -> None:
        """Take these steps again and again, whatever becomes of them, until the end."""
        while not self._stopping.is_set():
            for step in steps:
                self._take(step)
                self._stopping.wait(pause)

    def _take(self, step: Callable[[], None]) -> None:
        name, began = step.__name__, time.monotonic()
        try:
            step()
        except Exception as error:  # noqa: BLE001 whatever it is: it was no answer
            took = time.monotonic() - began
            with self._lock:
                self.failures.append(f"{name} after {took:.1f} s: {error!r}")
        else:
            with self._lock:
                self._answered.add(name)


def expect(answer: requests.Response, *statuses: int) -> Any:
    """Return the body of an answer with one of these statuses.

    Raises:
        Failed: it has another one.
    """
    if answer.status_code not in statuses:
        raise Failed(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}")
    return answer.json()


@contextmanager
def signed_in(load: Load, email: str) -> Iterator[Visitor]:
    with closing(Visitor(load.url)) as person:
        person.sign_in(email)
        yield person


def passer_by(show_id: str) -> Callable[[Load], None]:
    """Look at shows, this one among them, without an account."""

    def walk(load: Load) -> None:
        with closing(Visitor(load.url)) as person:

            def find_shows() -> None:
                expect(person.get("/api/v1/shows"), 200)

            def see_show() -> None:
                expect(person.get(f"/api/v1/shows/{show_id}"), 200)

            def see_fees() -> None:
                expect(person.get("/api/v1/config/public"), 200)

            load.repeat(find_shows, see_show, see_fees)

    return walk


@dataclass(slots=True)
class Buyer:
    """Buys tickets of a show one at a time, keeps the first few and cancels the others."""

    email: str
    show_id: str
    bookings: list[str] = field(default_factory=list)

    def __call__(self, load: Load) -> None:
        with signed_in(load, self.email) as person:

            def see_session() -> None:
                expect(person.get("/api/auth/session"), 200)["user"]

            def ask_price() -> None:
                expect(person.post("/api/v1/bookings/quote", self._wish), 200)

            def book() -> None:
                self._book(person)

            def see_bookings() -> None:
                expect(person.get("/api/v1/bookings"), 200)

            def cancel() -> None:
                if len(self.bookings) > BOOKINGS_KEPT:
                    path = f"/api/v1/bookings/{self.bookings.pop()}/cancel"
                    expect(person.post(path), 200)

            load.repeat(see_session, ask_price, book, see_bookings, cancel)

    @property
    def _wish(self) -> dict[str, Any]:
        return {"showId": self.show_id, "quantity": 1}

    def _book(self, person: Visitor) -> None:
        """Send the same order twice, as somebody does who does not hear the answer."""
        key = {"Idempotency-Key": str(uuid4())}
        made, again = (
            expect(person.post("/api/v1/bookings", self._wish, headers=key), 201)["booking"]
            for _ in range(2)
        )
        if made != again:
            raise Failed("the same key made two bookings")
        self.bookings.append(made["id"])


def organizer(load: Load) -> None:
    """Put shows on sale, and look at how they sell."""
    with signed_in(load, "organizer@comedy.example") as person:

        def publish() -> None:
            show_id = expect(person.post("/api/v1/shows", a_show()), 201)["show"]["id"]
            expect(person.post(f"/api/v1/shows/{show_id}/publish"), 200, 202)
            load.published.append(show_id)

        def see_own_shows() -> None:
            expect(person.get("/api/v1/shows?mode=manage"), 200)

        def see_sales() -> None:
            expect(person.get("/api/v1/organizer/sales"), 200)

        load.repeat(publish, see_own_shows, see_sales, pause=0.5)


def admin(load: Load) -> None:
    """Look after fees, shows and money."""
    with signed_in(load, "admin@comedy.example") as person:
        person.give_second_factor(ADMIN_PASSWORD)

        def see_own_fees() -> None:
            expect(person.get("/api/v1/admin/fees"), 200)

        def see_all_shows() -> None:
            expect(person.get("/api/v1/admin/shows"), 200)

        def see_collections() -> None:
            expect(person.get("/api/v1/admin/collections"), 200)

        load.repeat(see_own_fees, see_all_shows, see_collections)


def newcomer(load: Load) -> None:
    """Sign in, look at the own account, and sign out."""
    with ExitStack() as browsers:

        def sign_in() -> None:
            person = browsers.enter_context(closing(Visitor(load.url)))
            person.sign_in("audience09@comedy.example")
            expect(person.get("/api/v1/user/onboarding-status"), 200)
            person.sign_out()

        load.repeat(sign_in, pause=1.0)


def a_show(**changes: Any) -> dict[str, Any]:
    """Return what an organizer writes down about a show."""
    return {
        "title": "Rolling Laughter",
        "date": (datetime.now(UTC) + timedelta(days=10)).isoformat(),
        "venue": "Heart Cup Coffee, Jubilee Hills",
        "googleMapsLink": "https://maps.google.com/?q=Jubilee+Hills",
        "ticketPrice": 499,
        "totalTickets": 100,
        **changes,
    }

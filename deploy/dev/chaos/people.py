"""Whoever takes part: an admin, a house with shows of its own, and the creator who will leave."""

import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from io import BytesIO
from typing import Any

import psycopg
import requests
from PIL import Image

from chaos.provider import Provider
from chaos.stage import Stage, wait_until
from devstack.visitor import Visitor

ADMIN_PASSWORD = "seven silly llamas"  # noqa: S105 - of a stack that nobody else reaches
FREE_SHOWS = 12  # of the house; nobody may have more than ten tickets of one

_VENUE = {
    "venue": "Heart Cup Coffee, Jubilee Hills",
    "googleMapsLink": "https://maps.google.com/?q=Heart+Cup+Coffee+Jubilee+Hills",
}


class Unexpected(Exception):
    """The system answered otherwise than it should."""


def expect(status: int, answer: requests.Response) -> Any:
    """Return the answer's body.

    Raises:
        Unexpected: it has another status.
    """
    if answer.status_code != status:
        raise Unexpected(f"{answer.request.path_url}: {answer.status_code} {answer.text[:300]}")
    return answer.json()


class House:
    """The shows of a creator who stays, an admin, and the provider of payments."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._admin = Visitor(stage.stack.url)
        self._admin.sign_in("admin@comedy.example")
        self._admin.give_second_factor(ADMIN_PASSWORD)
        self.provider = Provider(stage.stack.settings)
        self.organizer = Visitor(stage.stack.url)
        self.organizer.sign_in("organizer@comedy.example")
        with ThreadPoolExecutor(4) as desks:
            titles = [f"House Night {number}" for number in range(FREE_SHOWS)]
            self.free = list(
                desks.map(lambda title: publish(self.organizer, title, price=0), titles)
            )
        self.paid = publish(self.organizer, "House Gala", price=499)

    def close(self) -> None:
        """Send admin and organizer home."""
        self._admin.close()
        self.organizer.close()

    def approve(self, creator_id: str) -> None:
        """Let an applicant be an organizer."""
        wish = {"organizerId": creator_id, "action": "APPROVE", "reason": "well known"}
        expect(200, self._admin.post("/api/v1/admin/organizers", wish))

    def end_and_settle(self, show_id: str) -> None:
        """Have a show take place a while ago, and pay its creator out."""
        past = {"date": _in_days(-2)}
        expect(200, self._admin.send("PUT", f"/api/v1/shows/{show_id}", json=past))
        wish = {"showId": show_id, "action": "DISBURSE"}
        expect(200, self._admin.post("/api/v1/admin/collections", wish))

    def buy(self, buyer: Visitor, show_id: str, quantity: int = 1) -> str:
        """Have somebody buy tickets, and pay if they cost something; return the booking."""
        wish = {"showId": show_id, "quantity": quantity}
        booking = expect(201, buyer.post("/api/v1/bookings", wish))["booking"]
        if booking["payment"]:
            self.provider.pay(booking["payment"]["orderId"])
        path = f"/api/v1/bookings/{booking['id']}"
        wait_until(
            lambda: expect(200, buyer.get(path))["booking"]["status"] == "CONFIRMED",
            "a booking is confirmed",
        )
        booked: str = booking["id"]
        return booked


@dataclass(frozen=True, slots=True)
class Creator:
    """Somebody who will ask to be forgotten."""

    visitor: Visitor
    id: str
    on_sale: str  # a show of hers in the future
    own: tuple[str, ...]  # ids of hers that are known elsewhere: shows, comedians
    values: Mapping[str, str]  # what nobody may find when she is gone


def creator(house: House, name: str, *, sold: bool = False) -> Creator:
    """Let somebody live a full life here.

    She has a picture, drafts, a comedian in the directory, a show that is over and paid out, one on
    sale (of which, if `sold`, a ticket is sold), and bookings of shows of the house.

    Args:
        house: where she books.
        name: unlike anybody else's.
        sold: have others wait for her.
    """
    visitor, url = Visitor(house.stage.stack.url), house.stage.stack.url
    email = f"{name.lower()}@chaos.example"
    user = visitor.sign_in(email)
    told = _tell_about_herself(visitor, name)
    house.approve(user["id"])
    poster, comedian = _fill_the_directory(visitor, name)
    drafts = [draft(visitor, f"{name} draft {n}", posterImageUrl=poster) for n in (1, 2)]
    over = publish(visitor, f"{name} looks back", price=499)
    on_sale = publish(visitor, f"{name} looks ahead", price=0)
    fan = Visitor(url)
    fan.sign_in("audience@comedy.example")
    house.buy(fan, over, 2)
    house.end_and_settle(over)
    if sold:
        house.buy(fan, on_sale)
    fan.close()
    house.buy(visitor, house.free[0], 2)
    house.buy(visitor, house.paid)
    return Creator(
        visitor=visitor,
        id=user["id"],
        on_sale=on_sale,
        own=(over, on_sale, *drafts, comedian),
        values={
            "ID": user["id"],
            "EMAIL": email,
            "SUBJECT": _subject(house.stage, user["id"]),
            **told,
        },
    )


def draft(who: Visitor, title: str, *, price: int = 0, **more: Any) -> str:
    """Have a creator write down a show; return its id."""
    body: Mapping[str, Any] = {
        "title": title,
        "date": _in_days(10),
        "ticketPrice": price,
        "totalTickets": 50_000,
        **_VENUE,
        **more,
    }
    show_id: str = expect(201, who.post("/api/v1/shows", body))["show"]["id"]
    return show_id


def publish(who: Visitor, title: str, *, price: int) -> str:
    """Have a creator put a show on sale; return its id."""
    show_id, path = draft(who, title, price=price), "/api/v1/shows"
    answer = who.post(f"{path}/{show_id}/publish")
    if answer.status_code == HTTPStatus.ACCEPTED:  # booking has much to do
        wait_until(
            lambda: who.get(f"{path}/{show_id}").json()["show"]["status"] == "PUBLISHED",
            f"{title} is on sale",
        )
    else:
        expect(200, answer)
    return show_id


def _tell_about_herself(visitor: Visitor, name: str) -> dict[str, str]:
    """Fill in every form; return what was told."""
    full, phone = f"{name} Chaoswala", f"9{zlib.crc32(name.encode()) % 10**9:09}"
    picture = _upload(visitor, "profile")
    about = {"name": full, "age": 33, "city": "Hyderabad", "watchedComedy": "yes", "phone": phone}
    expect(200, visitor.post("/api/v1/onboarding", about))
    expect(200, visitor.post("/api/v1/profile/update", {"image": picture, "bio": f"I am {full}."}))
    troupe = f"{name} and Friends"
    applied = {"name": troupe, "contact": phone, "description": f"{full} runs it."}
    answer = visitor.post("/api/v1/organizer/profile", applied)
    if not answer.ok:
        raise Unexpected(f"the application was refused: {answer.text[:300]}")
    key = picture.rpartition("/")[2]
    return {"NAME": full, "PHONE": phone, "TROUPE": troupe, "PICTURE": key}


def _fill_the_directory(visitor: Visitor, name: str) -> tuple[str, str]:
    """Return a poster and the id of a comedian."""
    poster, face = _upload(visitor, "show"), _upload(visitor, "comedian")
    entry = {"name": f"{name}'s protégé", "bio": "Does not know yet.", "profileImageUrl": face}
    comedian = expect(201, visitor.post("/api/v1/comedians", entry))["comedian"]
    return poster, comedian["id"]


def _upload(who: Visitor, kind: str) -> str:
    image = BytesIO()
    Image.new("RGB", (64, 64), "orange").save(image, "PNG")
    files = {"file": ("IMG.PNG", image.getvalue(), "image/png")}
    answer = who.send("POST", "/api/v1/upload", files=files, data={"type": kind})
    url: str = expect(201, answer)["url"]
    return url


def _subject(stage: Stage, user_id: str) -> str:
    """Return whom the provider calls her."""
    with psycopg.connect(stage.stack.db_url("auditor")) as connection:
        row = connection.execute(
            "SELECT subject FROM identity.account WHERE user_id = %s", (user_id,)
        ).fetchone()
    return str(row[0]) if row else ""


def _in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="milliseconds")

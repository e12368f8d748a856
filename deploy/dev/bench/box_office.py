"""The shows: offers opened at booking as catalog opens them, and shows published for discovery."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from uuid import uuid4

import requests

from bench.stage import Stage
from devstack.errors import StackError
from devstack.ports import LOOPBACK
from devstack.visitor import Visitor

PAGE_SIZE = 50
PAGE = f"/api/v1/shows?mode=discovery&limit={PAGE_SIZE}"

_DESKS = 4  # that publish side by side
_IN_TWO_WEEKS = timedelta(days=14)


class BoxOffice:
    """Opens the sale of shows, with catalog's own credentials."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.show_ids: list[str] = []

    def open(self, count: int, *, capacity: int) -> list[str]:
        """Put some more shows on sale and return their ids."""
        opened = [str(uuid4()) for _ in range(count)]
        headers = {
            "Authorization": f"Bearer {self._token()}",
            "Content-Type": "application/json",
        }
        connection = HTTPConnection(LOOPBACK, self._stage.port("booking"), timeout=15)
        for show_id in opened:
            body = json.dumps(_offer(capacity))
            connection.request("PUT", f"/internal/offers/{show_id}", body, headers)
            response = connection.getresponse()
            said = response.read()
            if response.status != 200:
                raise StackError(f"booking does not open a sale: {response.status} {said!r}")
        connection.close()
        self.show_ids += opened
        return opened

    def _token(self) -> str:
        settings = self._stage.stack.settings
        answer = requests.post(
            f"{settings['IDENTITY_URL']}/oauth/token",
            auth=("catalog", settings["CATALOG_CLIENT_SECRET"]),
            data={
                "grant_type": "client_credentials",
                "audience": "booking",
                "scope": "booking:offers:write",
            },
            timeout=15,
        )
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token


def fill_discovery(stage: Stage) -> None:
    """Publish so many shows that the first page of discovery is full."""
    with ThreadPoolExecutor(_DESKS) as desks:
        list(desks.map(lambda desk: _publish_some(stage, desk), range(_DESKS)))
    visitor = Visitor(stage.stack.url)
    shown = len(visitor.get(PAGE).json()["shows"])
    visitor.close()
    if shown != PAGE_SIZE:
        raise StackError(f"the page of discovery has {shown} shows, not {PAGE_SIZE}")


def first_shown(stage: Stage) -> str:
    """Return the id of the show on top of the page of discovery."""
    visitor = Visitor(stage.stack.url)
    show_id: str = visitor.get(PAGE).json()["shows"][0]["id"]
    visitor.close()
    return show_id


def _publish_some(stage: Stage, desk: int) -> None:
    organizer = Visitor(stage.stack.url)
    organizer.sign_in("organizer@comedy.example")
    for number in range(desk, PAGE_SIZE, _DESKS):
        _publish(organizer, number)
    organizer.close()


def _publish(organizer: Visitor, number: int) -> None:
    body = {
        "title": f"Bench Night {number + 1}",
        "date": (datetime.now(UTC) + _IN_TWO_WEEKS).isoformat(timespec="milliseconds"),
        "venue": "Heart Cup Coffee, Jubilee Hills",
        "googleMapsLink": "https://maps.google.com/?q=Heart+Cup+Coffee+Jubilee+Hills",
        "ticketPrice": 499,
        "totalTickets": 100,
        "description": "A show on the page that is measured.",
    }
    show = organizer.post("/api/v1/shows", body)
    show.raise_for_status()
    organizer.post(f"/api/v1/shows/{show.json()['show']['id']}/publish").raise_for_status()


def _offer(capacity: int) -> dict[str, Any]:
    return {
        "version": 1,
        "creatorId": None,
        "title": "Bench Night",
        "venue": "Heart Cup Coffee, Jubilee Hills",
        "city": "Hyderabad",
        "posterImageUrl": None,
        "startsAt": (datetime.now(UTC) + _IN_TWO_WEEKS).isoformat(timespec="milliseconds"),
        "durationMinutes": 90,
        "capacity": capacity,
        "pricePaise": 49_900,
        "platformFeeBasisPoints": None,
        "onSale": True,
    }
